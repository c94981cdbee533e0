"""MISB telemetry: KLV packets in SMPTE 336M coding, ST 0601 and EG 0104."""

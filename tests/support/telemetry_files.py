"""What drones and their apps write, one small sample of each: logs, GPX, subtitles, GPMF."""

import struct

from klv_bytes import flight, packet

AIRDATA = (
    "time(millisecond),datetime(utc),latitude,longitude,height_above_takeoff(feet),"
    "altitude_above_seaLevel(feet),gimbal_heading(degrees),gimbal_pitch(degrees),"
    "gimbal_roll(degrees)\n"
    "100,2024-05-01 10:00:00,35.95,39.01,100,900,359.5,-45,0\n"
    "200,2024-05-01 10:00:00,35.95001,39.01,110,910,0.5,-45,0\n"
)
LITCHI = (
    "latitude,longitude,altitude(m),gimbalPitch,gimbalRoll,gimbalYaw,datetime(utc),datetime(local)\n"
    "35.95,39.01,50.5,-90,0,12,2024-05-01 10:00:00.100,2024-05-01 13:00:00.100\n"
)
DJI = (
    "sep=,\nOSD.flyTime [s],OSD.latitude,OSD.longitude,OSD.height [ft],OSD.altitude [ft],"
    "GIMBAL.pitch,GIMBAL.roll,GIMBAL.yaw,HOME.latitude,HOME.longitude\n"
    "12.5,35.95,39.01,100,900,-30,0,45,35.9488,39.0077\n"
)
GPX = (
    '<?xml version="1.0"?><gpx><trk><trkseg>\n'
    '<trkpt lat="35.95" lon="39.01"><ele>251.5</ele><time>2024-05-01T10:00:00Z</time></trkpt>\n'
    '<trkpt lon="39.02" lat="35.95"><time>2024-05-01T13:00:30.5+03:00</time></trkpt>\n'
    '<trkpt lat="35.95" lon="39.01"/></trkseg></trk></gpx>\n'
)
OF_2017 = (
    "HOME(39.0100,35.9500) 2017.08.05 14:11:{:02d}\nGPS(39.0{:03d},35.9512,14) BAROMETER:31.5\n"
    "ISO:100 Shutter:60 EV: Fnum:2.2"
)
HERE = (359_500_000, 390_100_000, 250_000, 0, 0)


def srt(*texts: str, step_s: int = 1) -> str:
    return "\n".join(
        f"{n}\n00:00:{n * step_s:02d},000 --> 00:00:{(n + 1) * step_s:02d},000\n{text}\n"
        for n, text in enumerate(texts, 1)
    )


def bracket(lat: float, lon: float) -> str:
    return f"[iso : 100] [latitude: {lat}] [longitude: {lon}] [rel_alt: 5.0 abs_alt: 100.0]"


def entry(key: bytes, kind: str, size: int, data: bytes) -> bytes:
    count = len(data) // size
    padded = data + b"\0" * (-len(data) % 4)
    return key + kind.encode()[:1] + bytes([size]) + struct.pack(">H", count) + padded


def nested(key: bytes, data: bytes) -> bytes:
    return key + b"\0\1" + struct.pack(">H", len(data)) + data


def device(*items: bytes) -> bytes:
    return nested(b"DEVC", entry(b"DVNM", "c", 1, b"Hero Test") + nested(b"STRM", b"".join(items)))


def gps5(*rows: tuple[int, ...], lock: int = 3) -> bytes:
    return device(
        entry(b"GPSF", "L", 4, struct.pack(">I", lock)),
        entry(b"GPSU", "U", 16, b"170417173103.000"),
        entry(b"SCAL", "l", 4, struct.pack(">5i", 10**7, 10**7, 1000, 1000, 100)),
        entry(b"GPS5", "l", 20, b"".join(struct.pack(">5i", *row) for row in rows)),
    )


WHOLE = {
    "old.srt": srt(*(OF_2017.format(n, 120 + n) for n in range(3))).encode(),
    "new.srt": srt(bracket(35.95, 39.01), bracket(35.95, 39.01)).encode(),
    "air.csv": AIRDATA.encode(),
    "litchi.csv": LITCHI.encode(),
    "dji.csv": DJI.encode(),
    "flight.gpx": GPX.encode(),
    "flight.klv": packet(flight()) + packet(flight(seconds=1)),
    "gopro.raw": gps5(HERE, HERE) + gps5(HERE),
}
"""A sound file of every dialect that comes in sidecars, by name."""

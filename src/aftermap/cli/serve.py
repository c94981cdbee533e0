"""``aftermap serve``: the workbench, a local page to look at a case, check it and correct it."""

import ipaddress
import socket
from contextlib import closing
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option
from aftermap.errors import InputError

PORT = 8484
NEXT_PORTS = 20
LOOPBACK = "127.0.0.1"


@click.command("serve")
@click.argument("case", type=PATH)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"The port to answer at; left out, {PORT} or the next that is free.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in this computer's browser.")
@click.option(
    "--listen",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="The network address to answer at. Another than the default lets others in who "
    "are given an address, over a connection that is not encrypted.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A name of this computer by which others ask it; may be given again.",
)
@click.option("--basemap", type=PATH, help="A PMTiles file of your own to draw below the map.")
@debug_option
def serve_command(
    *,
    case: Path,
    port: int | None,
    opens: bool,
    listen: str,
    names: tuple[str, ...],
    basemap: Path | None,
) -> None:
    """Open the workbench of CASE: its map, buildings, footage.

    Prints an address that works once, for one browser; Ctrl-C ends the server. Asks nothing of the
    internet, and answers this computer alone unless --listen says otherwise.

    \b
    Example:
      aftermap serve raqqa --open
    """  # noqa: D301
    import uvicorn  # noqa: PLC0415

    from aftermap.web.app import STATIC, workbench  # noqa: PLC0415
    from aftermap.web.desk import desk_of  # noqa: PLC0415
    from aftermap.web.security import Door, host_names  # noqa: PLC0415

    if not (STATIC / "index.html").is_file():
        raise InputError(
            f"{STATIC}: the page was not built; run make page in the checkout (it needs npm)"
        )
    if basemap is not None and not basemap.is_file():
        raise InputError(f"{basemap}: is no file; name a PMTiles file, or leave --basemap out")
    address = _address(listen)
    chosen = _free_port(address, port)
    desk = desk_of(case, basemap=basemap)
    door = Door(port=chosen, names=host_names(address, names))
    invitation = door.invitation()
    click.echo(f"Workbench of {desk.case.name}: {invitation}")
    click.echo("The address works once. Ctrl-C ends the server; all that was saved stays saved.")
    if address != LOOPBACK and not ipaddress.ip_address(address).is_loopback:
        click.echo("Others in the network can reach it, and the connection is not encrypted.")
    if opens:
        click.launch(invitation)
    config = uvicorn.Config(
        workbench(desk, door),
        host=address,
        port=chosen,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    uvicorn.Server(config).run()


def _address(listen: str) -> str:
    try:
        return str(ipaddress.ip_address(listen))
    except ValueError as error:
        raise InputError(
            f"{listen}: is no network address; give one such as {LOOPBACK} or 0.0.0.0"
        ) from error


def _free_port(address: str, asked: int | None) -> int:
    """The port that was asked for, or the first free one of a few; an error where none is."""
    ports = [asked] if asked is not None else list(range(PORT, PORT + NEXT_PORTS))
    for port in ports:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError as error:
                raise InputError(
                    f"port {port}: needs rights you do not have; name another one with --port"
                ) from error
            except OSError:
                continue
        return port
    raise InputError(
        f"port {ports[0]}: is in use, by another workbench perhaps; name another one with --port"
    )

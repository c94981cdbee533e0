"""``aftermap serve``: the workbench, a local web page to view, check and correct a case."""

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
    help=f"Port.  [default: {PORT} or the next free port]",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the default browser.")
@click.option(
    "--listen",
    default=LOOPBACK,
    show_default=True,
    metavar="ADDRESS",
    help="Network address to listen on. Any other than the default lets invited people connect "
    "from other computers, without encryption.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="Host name by which others reach this computer; may be repeated.",
)
@click.option("--basemap", type=PATH, help="PMTiles file to draw below the map.")
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
    """Open the workbench of CASE: map, buildings and footage in a browser.

    Prints a one-time address for one browser. Ctrl-C stops the server. Works offline, and accepts
    connections from this computer only unless --listen is given.

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
            f"{STATIC}: the page is not built; run make page in the checkout (needs npm)"
        )
    if basemap is not None and not basemap.is_file():
        raise InputError(f"{basemap}: is not a file; name a PMTiles file, or omit --basemap")
    address = _address(listen)
    chosen = _free_port(address, port)
    desk = desk_of(case, basemap=basemap)
    door = Door(port=chosen, names=host_names(address, names))
    invitation = door.invitation()
    click.echo(f"Workbench of {desk.case.name}: {invitation}")
    click.echo("The address works once. Press Ctrl-C to stop the server; saved work is kept.")
    if address != LOOPBACK and not ipaddress.ip_address(address).is_loopback:
        click.echo("Other computers on the network can connect; the connection is not encrypted.")
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
            f"{listen}: is not a network address; give one such as {LOOPBACK} or 0.0.0.0"
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
                    f"port {port}: needs administrator rights; choose another with --port"
                ) from error
            except OSError:
                continue
        return port
    raise InputError(
        f"port {ports[0]}: is in use, possibly by another workbench; choose another with --port"
    )

"""The command line: one command per thing a user wants, one file per command.

Results go to standard output, progress and errors to standard error. Exit statuses are in
``failures``: what is missing, in part or in whole, is one line (``--debug`` adds the traceback).
Heavy libraries are imported when a command needs them, so that ``--help`` answers at once.
"""

import sys
import traceback
from collections.abc import Sequence

import click

from aftermap.arithmetic import fix_arithmetic
from aftermap.cli.assess import assess_command
from aftermap.cli.compare import compare_command
from aftermap.cli.failures import DONE, FAILED, STOPPED, line_for, status_for
from aftermap.cli.learn import learn_command
from aftermap.cli.locate import locate_command
from aftermap.cli.map import map_command
from aftermap.cli.options import Debug, debug_option
from aftermap.cli.reproduce import reproduce_command
from aftermap.cli.review import review_command
from aftermap.cli.sample import sample_command
from aftermap.cli.seen import seen_command
from aftermap.cli.serve import serve_command
from aftermap.cli.telemetry import telemetry_command
from aftermap.cli.totals import totals_command
from aftermap.cli.twin import twin_command
from aftermap.cli.verify import verify_command
from aftermap.errors import AftermapError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="aftermap", message="aftermap %(version)s")
@debug_option
def aftermap() -> None:
    """Turn drone imagery of an inaccessible, war-damaged town into a defensible map.

    Runs on one computer, offline and without a graphics card.

    \b
    Examples:
      aftermap map flight1/ flight2/ --case raqqa        map two folders of imagery
      aftermap map flight1/ --case raqqa --gcp gcp.txt   use ground control points
      aftermap telemetry DJI_0001.SRT                    show the parsed fields of telemetry
      aftermap seen raqqa --at 39.0087,35.9506           find footage of a location
      aftermap locate raqqa news.mp4 --points ties.csv   locate a camera from picked points
      aftermap assess raqqa --footprints osm.geojson     grade the damage to every building
      aftermap sample raqqa --size 200                   draw buildings for review
      aftermap review import raqqa labels.csv            import reviewers' grades
      aftermap totals raqqa                              estimate damage totals with intervals
      aftermap compare raqqa cda.gpkg --scale unosat     compare with another assessment
      aftermap learn raqqa                               train the grading model on reviews
      aftermap serve raqqa --open                        open the workbench in a browser
      aftermap verify raqqa                              check the integrity of the case
      aftermap reproduce raqqa                           make the case again and compare
      aftermap twin practice                             make synthetic footage with ground truth
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


for _command in (
    map_command,
    telemetry_command,
    seen_command,
    locate_command,
    assess_command,
    sample_command,
    review_command,
    totals_command,
    compare_command,
    learn_command,
    serve_command,
    verify_command,
    reproduce_command,
    twin_command,
):
    aftermap.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    fix_arithmetic()  # before any library that computes is imported
    sys.exit(status_of(arguments))


def status_of(arguments: Sequence[str] | None = None) -> int:
    """The exit status of a command line; every expected failure is printed as one line."""
    debug = Debug()
    try:
        aftermap.main(
            list(arguments) if arguments is not None else None,
            prog_name="aftermap",
            standalone_mode=False,
            obj=debug,
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return FAILED
    except (click.ClickException, AftermapError, OSError, MemoryError) as error:
        if debug.wanted:
            traceback.print_exc()
        click.echo(f"aftermap: {line_for(error)}", err=True)
        return status_for(error)
    except click.Abort:
        click.echo("aftermap: stopped; run the same command again to resume", err=True)
        return STOPPED
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else FAILED
    return DONE

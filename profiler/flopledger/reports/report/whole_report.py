"""report(): the zoo counted, the ledgers balanced, the claims judged, and all of it written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from flopledger.counting.cached import cached_profile
from flopledger.errors import WrongOption
from flopledger.options import brief, checks_arguments
from flopledger.profiles.tables import Profile, ProfilingError
from flopledger.reports.report.gather import findings_of
from flopledger.reports.report.write import write
from flopledger.storage.files import check_folder
from flopledger.storage.json_text import json_text
from flopledger.zoo.registry import BrokenModel, Listing, ModelSpec, find_model, list_models


@dataclass(frozen=True, kw_only=True, repr=False)
class Report:
    """A report that was written.

    Attributes:
        page: where its index.html lies.
        counted: the models that it has, each with its profile.
        failed: why each other model could not be counted, one line by the model's name.
    """

    page: Path
    counted: Sequence[tuple[ModelSpec, Profile]]
    failed: Mapping[str, str]

    def to_json(self) -> str:
        """Where it lies, the models that it has, and the failed ones with the reason."""
        return json_text(
            {
                "page": str(self.page),
                "counted": [profile.model for _, profile in self.counted],
                "failed": dict(self.failed),
            }
        )

    def __repr__(self) -> str:
        reasons = "".join(f"\n{reason}" for reason in self.failed.values())
        return f"{self.page}: {len(self.counted)} models, {len(self.failed)} failed{reasons}"

    def _repr_html_(self) -> str:
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in self.failed.values())
        link = f'<a href="{escape(self.page.resolve().as_uri())}">{escape(str(self.page))}</a>'
        return f"<p>{link}: {len(self.counted)} models</p><ul>{reasons}</ul>"


@checks_arguments
def report(
    output: Path | str = "build/report", *, models: Iterable[Listing] | None = None
) -> Report:
    """Write index.html, report.md, every table and every chart of them.

    A network is counted once for each state of its file and of the library, and then remembered.

    Args:
        output: the folder, which is made if it is not there.
        models: those that the zoo's chapters show; every model, if left out.

    Raises:
        BadFacts: a file of facts cannot be used.
        BrokenModel, ProfilingError: a network that a ledger or a claim needs cannot be imported or
            counted; one that only the zoo's chapters would show is named in `Report.failed`.
        WrongOption: the folder cannot be written, or there are no models.
    """
    if models is not None and (isinstance(models, str) or not isinstance(models, Iterable)):
        raise WrongOption(f"models {brief(models)} are none; give some of list_models()")
    folder = Path(output)
    check_folder(folder)
    counted: list[tuple[ModelSpec, Profile]] = []
    failed: dict[str, str] = {}
    shown = None if models is None else list(models)
    if shown == []:
        raise WrongOption("models is empty, and a report shows one at least; leave it out for all")
    for listing in list_models() if shown is None else shown:
        if not isinstance(listing, Listing):
            raise WrongOption(f"models {brief(listing)} is none; give some of list_models()")
        try:
            counted.append((find_model(listing.name), cached_profile(listing.name)))
        except (ProfilingError, BrokenModel) as error:
            failed[listing.name] = str(error)
    return Report(page=write(findings_of(counted), folder), counted=tuple(counted), failed=failed)

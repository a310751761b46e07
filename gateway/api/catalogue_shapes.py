"""How the API's description shows a tariff's terms, a department's own catalogue, and its proposals."""

from __future__ import annotations

from typing import Any, Final

from gateway.api.bodies import REFUND_COLUMNS
from gateway.api.caller_shapes import Schema, closed
from gateway.domain.rounding import BASIS_POINTS
from gateway.domain.tariff import AMOUNT_MINOR_MAX
from gateway.domain.tariff_terms import QUANTITY_MAX
from gateway.services.catalogue.catalogue_rows import BUNDLE_COLUMNS, SERVICE_COLUMNS
from gateway.services.catalogue.tariff_rows import TARIFF_COLUMNS


def _ref(name: str, description: str | None = None) -> Schema:
    shape = {"$ref": f"#/components/schemas/{name}"}
    return shape if description is None else {**shape, "description": description}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _minor(description: str, *, least: int = 0, **more: Any) -> Schema:
    return _whole(f"{description}, in minor units", least, AMOUNT_MINOR_MAX, **more)


def _whole(description: str, least: int, most: int, **more: Any) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most, "description": description, **more}


def _flag(description: str, **more: Any) -> Schema:
    return {"type": "boolean", "description": description, **more}


def _list(name: str, description: str, **more: Any) -> Schema:
    return {"type": "array", "items": _ref(name), "description": description, **more}


def _or_null(kind: str, description: str, **more: Any) -> Schema:
    return {"type": [kind, "null"], "description": description, **more}


_SHARE: Final = "in hundredths of a per cent: 250 is 2.5 %"
_PRICES: Final = {
    "fixed": "FixedPrice",
    "per_unit": "PerUnitPrice",
    "tiers": "TieredPrice",
    "percentage": "PercentagePrice",
    "open": "OpenPrice",
}
_DAY: Final[Schema] = {"type": "string", "format": "date", "description": "its legal day, from midnight in Dubai"}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_LAW: Final = _text("the law, decision or resolution", minLength=1, maxLength=500)


def _price(kind: str, required: dict[str, Schema], **optional: Schema) -> Schema:
    return closed({"kind": {"const": kind, "description": "which of the prices this is"}, **required}, **optional)


TERMS: Final[dict[str, Schema]] = {
    "FixedPrice": _price("fixed", {"amount_minor": _minor("one fee, once a line; 0 is free by law")}),
    "PerUnitPrice": _price(
        "per_unit",
        {"unit_minor": _minor("so much each", least=1), "unit": _ref("Name", "each what: a page, a day")},
        minimum_minor=_minor("the least of a line", default=0),
        maximum_minor=_minor("the most of a line; none when left out"),
    ),
    "PriceBand": closed(
        {},
        up_to={
            "anyOf": [_whole("the last that belongs to it", 1, AMOUNT_MINOR_MAX), {"type": "null"}],
            "default": None,
            "description": "its upper end, which still belongs to it; only the last band has none",
        },
        flat_minor=_minor("charged once", default=0),
        unit_minor=_minor("charged for each, over a quantity", default=0),
        basis_points=_whole(f"a share, over a base amount, {_SHARE}", 0, BASIS_POINTS, default=0),
    ),
    "TieredPrice": _price(
        "tiers",
        {"bands": _list("PriceBand", "from the lowest to the highest", minItems=1, maxItems=50)},
        measure={
            "enum": ["quantity", "base_amount"],
            "default": "quantity",
            "description": f"what is counted: a quantity, to {QUANTITY_MAX}, or an amount",
        },
        whole=_flag("whether the band of the whole charges for all of it, not each band for its part", default=False),
    ),
    "PercentagePrice": _price(
        "percentage",
        {"basis_points": _whole(f"a share of the base amount, {_SHARE}", 1, BASIS_POINTS)},
        minimum_minor=_minor("the least", default=0),
        maximum_minor=_minor("the most; none when left out"),
    ),
    "OpenPrice": _price(
        "open",
        {
            "minimum_minor": _minor("the least that may be asked for", least=1),
            "maximum_minor": _minor("the most that may be asked for"),
        },
    ),
    "TariffConcession": closed(
        {
            "code": _text("its name for programs", pattern="^[a-z][a-z0-9_]{0,62}$"),
            "names": _ref("Name", "what it is called"),
            "when": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": ["string", "boolean"]},
                "description": "the answers it is granted for",
            },
            "legal_basis": _LAW,
            "approver": _text("who granted it, as the legal text has it", minLength=1, maxLength=500),
        },
        basis_points=_whole(f"what share it takes off, {_SHARE}; or", 1, BASIS_POINTS - 1),
        amount_minor=_minor("what it takes off; with neither, it waives the fee", least=1),
    ),
    "TariffTerms": closed(
        {
            "price": {
                "oneOf": [_ref(name) for name in _PRICES.values()],
                "discriminator": {
                    "propertyName": "kind",
                    "mapping": {kind: f"#/components/schemas/{name}" for kind, name in _PRICES.items()},
                },
                "description": "how the fee is found, by its kind",
            }
        },
        currency=_text("what it is charged in", pattern="^[A-Z]{3}$", default="AED"),
        vat_basis_points=_whole(f"the rate of VAT, {_SHARE}", 0, BASIS_POINTS, default=0),
        vat_included=_flag("whether VAT is inside the fee, or comes on top", default=True),
        round_to_minor=_minor("the step a fee is rounded to", least=1, default=1),
        concessions=_list("TariffConcession", "discounts and waivers; the best for the payer is granted", maxItems=20),
    ),
}

SHAPES: Final[dict[str, Schema]] = {
    **TERMS,
    "LineFault": closed(
        {
            "table": {"enum": ["services", "bundles", "tariffs"], "description": "which table it is in"},
            "line": {"type": "integer", "description": "the line of the file, its heading counted; in JSON, which row"},
            "field": _text("the column, or the place in a tariff"),
            "detail": _text("what is wrong there"),
        }
    ),
    "Catalogue": closed(
        {
            "object": {"const": "catalogue", "description": "what kind of thing this is"},
            "department": _text("whose it is"),
            "services": _list("ServiceRow", "your services on offer"),
            "bundles": _list("BundleRow", "your bundles on offer"),
            "tariffs": _list("TariffDraft", "every version that was approved, as it was proposed"),
        }
    ),
    "CatalogueImport": closed(
        {
            "object": {"const": "catalogue_import", "description": "what kind of thing this is"},
            "dry_run": _flag("true: nothing was done"),
            "services": {"type": "integer", "description": "how many services were, or would be, imported"},
            "bundles": {"type": "integer", "description": "how many bundles"},
            "faults": _list("LineFault", "in a dry run, all that is wrong; while there is any, nothing is imported"),
            "notes": _list("LineFault", "what you should know; it does not stand in the way"),
        }
    ),
    "TariffProposal": closed(
        {
            "id": _text("its identifier, which lines and receipts cite", pattern="^tf_[0-9a-hjkmnp-tv-z]{26}$"),
            "object": {"const": "tariff_proposal", "description": "what kind of thing this is"},
            "status": {
                "enum": ["awaiting_approval", "approved", "refused"],
                "description": "once it is approved, it is in force from its day",
            },
            "service": _text("the service's code in the catalogue"),
            "version": {"type": "integer", "description": "its number among the service's versions"},
            "effective_on": _DAY,
            "effective_at": {**_INSTANT, "description": "that midnight"},
            "legal_basis": _LAW,
            "terms": _ref("TariffTerms", "what it says about money"),
            "reason": _text("why, as whoever proposed it said"),
            "proposed_by": _text("the person who proposed it"),
            "proposed_with": _or_null("string", "the credential it came by; null where a person proposed it with us"),
            "decided_by": _or_null("string", "the second person, who approved or refused"),
            "created_at": {**_INSTANT, "description": "when it was proposed"},
            "decided_at": _or_null("string", "when it was decided", format="date-time"),
        }
    ),
    "TariffProposalBatch": closed(
        {
            "object": {"const": "tariff_proposal_batch", "description": "what kind of thing this is"},
            "dry_run": _flag("true: nothing was done"),
            "tariffs": {"type": "integer", "description": "how many lines are sound in themselves"},
            "faults": _list("LineFault", "in a dry run, all that is wrong; while there is any, nothing is proposed"),
            "proposals": _list("TariffProposal", "what was proposed, in the order of the lines"),
        }
    ),
}

LISTS: Final = {"TariffProposalList": "TariffProposal"}

# As in openapi.py: what it does, the body it reads, the status and shape of its answer, the filters of a list.
OPERATIONS: Final[dict[tuple[str, str], tuple[str, str | None, int, str, tuple[str, ...]]]] = {
    ("GET", "/v1/catalogue"): ("Take out your own services, bundles and tariffs", None, 200, "Catalogue", ()),
    ("GET", "/v1/catalogue/{table}.csv"): (
        "Take out one table as a spreadsheet that can be put in again", None, 200, "Spreadsheet", (),
    ),
    ("POST", "/v1/catalogue"): (
        "Put services and bundles of yours in, or try it", "ImportCatalogue", 200, "CatalogueImport", (),
    ),
    ("POST", "/v1/tariff-proposals"): (
        "Propose what services cost, or try it; another person decides", "ProposeTariffs", 202, "TariffProposalBatch",
        (),
    ),
    ("GET", "/v1/tariff-proposals"): (
        "List the proposals for your services, newest first", None, 200, "TariffProposalList", ("service", "status"),
    ),
    ("GET", "/v1/tariff-proposals/{id}"): ("Read a proposal and what became of it", None, 200, "TariffProposal", ()),
}  # fmt: skip

_TARIFF_COLUMNS: Final = f"{', '.join(TARIFF_COLUMNS)}; bands and concessions are JSON"
_CATALOGUE_COLUMNS: Final = f"services: {', '.join(SERVICE_COLUMNS)}; bundles: {', '.join(BUNDLE_COLUMNS)}"
_DRY: Final[Schema] = {"enum": ["true", "false"]}
_DRY_MEANS: Final = "with a spreadsheet: true only says what would happen"
_REFUND_COLUMNS: Final = f"{', '.join(REFUND_COLUMNS)}; no amount gives back all that is left"
SHEETS: Final[dict[str, tuple[str, dict[str, tuple[Schema, str]]]]] = {
    "ImportCatalogue": (
        _CATALOGUE_COLUMNS,
        {
            "table": ({"enum": ["services", "bundles"]}, "which table the spreadsheet is; needed with it"),
            "dry_run": (_DRY, _DRY_MEANS),
        },
    ),
    "CreateRefundBatch": (
        _REFUND_COLUMNS,
        {
            "reason": ({"type": "string"}, "needed with a spreadsheet: why"),
            "requested_by": ({"type": "string"}, "with a spreadsheet: the person who asks"),
            "dry_run": (_DRY, _DRY_MEANS),
        },
    ),
    "ProposeTariffs": (
        _TARIFF_COLUMNS,
        {
            "proposed_by": ({"type": "string"}, "needed with a spreadsheet: the person who proposes"),
            "reason": ({"type": "string"}, "needed with a spreadsheet: why"),
            "dry_run": (_DRY, _DRY_MEANS),
        },
    ),
}
"""Bodies that may be spreadsheets too: their columns, and what is said in the query beside one."""

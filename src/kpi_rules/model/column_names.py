"""What the columns that conditions read are called by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_rules.locale import N_, _, language, translate
from kpi_rules.model.columns import QUOTA_INDICATORS, quota_indicators

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.model.contributions import Indicator

COLUMNS: Final = (
    N_("at_month_end"),
    N_("at_mid_year"),
    N_("at_quarter_end"),
    N_("at_half_year_end"),
    N_("at_campaign_end"),
    N_("at_review"),
    N_("at_year_end"),
    N_("unit"),
    N_("group"),
    N_("kind"),
    N_("completion"),
    N_("expected"),
    N_("expected_numerator"),
    N_("expected_denominator"),
    N_("pace_gap"),
    N_("lag"),
    N_("rank"),
    N_("group_size"),
    N_("contracted"),
    N_("vouchers"),
    N_("recognised"),
    N_("arrival_rate"),
    N_("start_rate"),
    N_("production_rate"),
    N_("campaign_quota"),
    N_("campaign_completion"),
    N_("campaign_rank"),
    N_("funds"),
    N_("signed"),
    N_("started"),
    N_("producing"),
)
"""The columns of the library itself, but for those that are made of an indicator with a quota."""

OF_QUOTAS: Final = (
    N_("{indicator}_quota"),
    N_("{indicator}_quota_original"),
    N_("{indicator}_completion"),
    N_("{indicator}_stretch"),
    N_("{indicator}_stretch_completion"),
    N_("{indicator}_quality"),
    N_("{indicator}_overdue"),
)
OF_CAMPAIGNS: Final = N_("campaign_{indicator}")
"""The columns made of an indicator with a quota, by the names that they have."""


def columns_called(indicators: Mapping[str, Indicator]) -> dict[str, str]:
    """Return what columns are called in the user's language, by name; `in_words` writes conditions with it.

    Args:
        indicators: what policies add, `workspace.plugins.indicators`; they go by their own labels where they have any.

    Returns:
        Only columns that are called otherwise than by their name. In English that is none: names are what is written
        in conditions.
    """
    if language() == "en":
        return {}
    called = {name: _(name) for name in COLUMNS}
    called |= {name: translate(each.label, each.domain) for name, each in indicators.items() if each.label}
    for name in quota_indicators(indicators):
        about = called.get(name, name)
        for form in OF_QUOTAS:
            called.setdefault(form.format(indicator=name), _(form).format(indicator=about))
    for name in QUOTA_INDICATORS:
        called.setdefault(OF_CAMPAIGNS.format(indicator=name), _(OF_CAMPAIGNS).format(indicator=called[name]))
    return {name: text for name, text in called.items() if text != name}

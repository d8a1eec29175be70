"""Exchange rates: exact, dated, and from files that are taken whole or refused by line and column."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain import rates
from costcompass_core.domain.rates import EcbTable, Rate, converted, parse_ecb, rates_to

DAY = date(2026, 11, 20)
DAILY = "Date, USD, JPY, GBP, \n20 November 2026, 1.1512, 178.30, 0.87410, \n"
HISTORY = (
    "Date,USD,JPY,CYP,GBP,\n2026-11-20,1.1512,178.30,N/A,0.87410,\n"
    "2026-11-19,1.1500,178.00,N/A,0.87000,\n1999-01-04,1.1789,133.73,0.58231,0.7111,\n"
)
XML = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender>
\t\t<gesmes:name>European Central Bank</gesmes:name>
\t</gesmes:Sender>
\t<Cube>
\t\t<Cube time='2026-11-20'>
\t\t\t<Cube currency='USD' rate='1.1512'/>
\t\t\t<Cube currency='JPY' rate='178.30'/>
\t\t\t<Cube currency='GBP' rate='0.87410'/>
\t\t</Cube>
\t</Cube>
</gesmes:Envelope>
"""
SHORT = '<Envelope><Cube><Cube time="2026-11-20"><Cube currency="USD" rate="2"/></Cube></Cube></Envelope>'
QUOTED = {"USD": "1.1512", "JPY": "178.30", "GBP": "0.87410"}


@pytest.mark.parametrize(
    "text", [DAILY, XML, XML.replace("\n", "\r\n"), DAILY.replace("\n", "\r\n")]
)
def test_a_day_reads_the_same_in_every_form(text):
    assert parse_ecb(text) == EcbTable({DAY: QUOTED})


def test_the_history_leaves_out_what_was_not_quoted():
    table = parse_ecb(HISTORY)
    assert table.days[DAY] == QUOTED
    assert list(table.days) == [DAY, date(2026, 11, 19), date(1999, 1, 4)]
    two_days = XML.replace(
        "\t</Cube>\n</g",
        "<Cube time='2026-11-19'><Cube currency='USD' rate='2'/></Cube></Cube>\n</g",
    )
    assert parse_ecb(two_days).days[date(2026, 11, 19)] == {"USD": "2"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (date(2026, 11, 22), DAY),
        (DAY, DAY),
        (date(2026, 11, 19), date(2026, 11, 19)),
        (date(2020, 1, 1), date(1999, 1, 4)),
    ],
)
def test_the_newest_day_not_after_the_asked_one_counts(asked, found):
    newest = parse_ecb(HISTORY).newest(asked)
    assert {rate.day for rate in newest.values()} == {found}


def test_older_days_than_any_have_no_rates():
    assert parse_ecb(HISTORY).newest(date(1998, 12, 31)) == {}
    assert rates_to("EUR", {}) == {}


def test_any_currency_may_be_home_by_way_of_the_euro():
    newest = parse_ecb(DAILY).newest(DAY)
    assert newest["USD"] == Rate("USD", Fraction(10000, 11512), DAY, "ECB")
    home = rates_to("USD", newest)
    assert home["EUR"].value == Fraction("1.1512")
    assert home["GBP"].value == Fraction("1.1512") / Fraction("0.8741")
    assert home["USD"].value == 1
    assert rates_to("XAF", newest) == {}


def test_a_total_is_rounded_once_and_names_its_rates():
    home = rates_to("USD", parse_ecb(DAILY).newest(DAY))
    totals = {"USD": Decimal("1.10"), "EUR": Decimal(2), "GBP": Decimal("0.01")}
    total, used, unknown = converted(totals, "USD", home)
    exact = Fraction("1.1") + 2 * Fraction("1.1512") + Fraction("0.01") * home["GBP"].value
    assert total == Decimal(round(exact * 10**12)).scaleb(-12)
    assert (used, unknown) == ((home["EUR"], home["GBP"]), ())
    assert converted({"EUR": Decimal("0.1")}, "USD", home)[0] == Decimal("0.11512")


def test_without_a_rate_there_is_no_total():
    totals = {"CNY": Decimal(1), "USD": Decimal(1), "ZZZ": Decimal(-1)}
    assert converted(totals, "USD", {}) == (None, (), ("CNY", "ZZZ"))
    assert converted({"CNY": Decimal(0), "USD": Decimal(3)}, "USD", {}) == (Decimal(3), (), ())
    assert converted({}, "USD", {}) == (Decimal(0), (), ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1, column 1: neither"),
        ("\ufeff" + DAILY, "line 1, column 1: neither"),
        ("Date\n2026-11-20", "line 1, column 2: no currency"),
        ("Date,USD", "line 2, column 1: no rates"),
        ("Date,USD,usd\n", "line 1, column 3: not a currency"),
        ("Date,USD,EUR\n", "line 1, column 3: not a currency"),
        ("Date,USD,USD\n", "line 1, column 3: a currency that was"),
        ("Date,USD,JPY\n2026-11-20,1", "line 2, column 2: ends there instead of at 3"),
        ("Date,USD\n2026-11-20,1,2", "line 2, column 3: ends there instead of at 2"),
        ("Date,USD\n2026-11-20,1\n2026-11-20,1", "line 3, column 1: a day that was"),
        ("Date,USD\n2026-11-31,1", "line 2, column 1: not a day of"),
        ("Date,USD\n20 Novembre 2026,1", "line 2, column 1: not a date"),
        *[(f"Date,USD\n2026-11-20,{bad}", "line 2, column 2: not a rate") for bad in ("0", "-1", "1e3", "NaN", "1.", "1/2", "0.0", "\u0661", "1" * 10)],
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + SHORT, "line 1, column 1: not the XML"),
        ("<?xml version='1.0'?>\n<!-- -->" + SHORT, "line 2, column 1: not the XML"),
        (XML.replace("Central", "&amp;"), "line 5, column 25: not the XML"),
        (XML.replace("rate='178.30'", "rate='&a;'"), "line 10, column 4: not the XML"),
        (XML.replace("178.30", "1,5"), "line 10, column 4: not a rate"),
        (XML.replace("JPY", "USD"), "line 10, column 4: a currency that was"),
        (XML.replace("currency='JPY' ", ""), "line 10, column 4: not one currency"),
        (SHORT.replace("2026-11-20", "2026-02-30"), "line 1, column 17: not a day of"),
        (SHORT.replace(' time="2026-11-20"', ""), "column 17: no time"),
        (SHORT.replace('<Cube currency="USD" rate="2"/>', ""), "a day without rates"),
        (SHORT.replace("</Cube></Cube>", "x</Cube></Cube>"), "text between"),
        (SHORT[:-5], "not the XML"),
        (SHORT.replace("</Envelope>", ""), "ends too early"),
        (SHORT + SHORT, "does not belong"),
        (SHORT.replace("Envelope", "Other"), "column 1: an element that does not"),
        ("<Envelope></Envelope>", "no rates"),
        ("<Envelope></Cube>", "an end without"),
    ],
)  # fmt: skip
def test_what_is_odd_is_named_by_line_and_column(text, words):
    with pytest.raises(ValueError) as caught:
        parse_ecb(text)
    assert words in str(caught.value)


def test_too_long_a_text_is_not_read(monkeypatch):
    monkeypatch.setattr(rates, "MOST_CHARACTERS", 20)
    with pytest.raises(ValueError, match="is longer than 20 characters"):
        parse_ecb(DAILY)


@given(
    st.text()
    | st.text("<>/='\" \nCubEnvlopetim&!-?").map("<".__add__)
    | st.text("Date,USD\n 0123456789-.").map("Date,".__add__)
)
def test_junk_is_refused_at_worst(text):
    try:
        assert parse_ecb(text).days
    except ValueError as why:
        assert str(why).startswith("line ")  # noqa: PT017 - either way is fine


CODES = st.sampled_from(["USD", "EUR", "GBP", "JPY"])
AMOUNTS = st.decimals(-(10**12), 10**12, places=15)


@given(st.dictionaries(CODES, AMOUNTS), CODES)
def test_a_total_is_never_further_off_than_its_one_rounding(totals, home):
    to_home = rates_to(home, parse_ecb(DAILY).newest(DAY))
    total, used, unknown = converted(totals, home, to_home)
    exact = sum(
        (Fraction(amount) * to_home[code].value for code, amount in totals.items()), Fraction(0)
    )
    assert abs(Fraction(total) - exact) <= Fraction(1, 2 * 10**12)
    assert unknown == ()
    assert {rate.currency for rate in used} == {
        code for code, amount in totals.items() if amount and code != home
    }

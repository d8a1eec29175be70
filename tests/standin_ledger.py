"""A ledger with something of every kind, read from the stand-ins by real commands."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from install import Install

from bot.sandbox.company import Company
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.scenario import demo_account
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.usage import Purse, Reading
from costcompass_core.storage.store import open_store
from costcompass_core.usecases.refresh import commit

BILLS = Path(__file__).parent / "providers" / "files"
CLOUD = """BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,ChargeClass,ChargeDescription,ChargePeriodStart,ChargePeriodEnd,ContractedCost,EffectiveCost,ListCost,InvoiceIssuerName,PricingQuantity,PricingUnit,ServiceCategory,ServiceName,ProviderName,PublisherName
12.34,c-1,,EUR,{month},{next},Usage,,large,{day},{end},12.34,12.34,12.34,Cloudy,3,Hours,Compute,Machines,Cloudy,Cloudy
2.47,c-1,,EUR,{month},{next},Tax,,large,{day},{end},2.47,2.47,2.47,Cloudy,,,Compute,Machines,Cloudy,Cloudy
-1.5,c-1,,EUR,{month},{next},Credit,,"=HYPERLINK(""a"",""welcome"")",{day},{end},-1.5,-1.5,-1.5,Cloudy,,,Compute,Machines,Cloudy,Cloudy
100,c-1,,EUR,{month},{next},Purchase,,large,{day},{end},100,0,100,Cloudy,1,Units,Compute,Machines,Cloudy,Cloudy
0.00000000000000000000000001,c-1,,EUR,{month},{next},Adjustment,,@rounding,{day},{end},0,0,0,Cloudy,,,Compute,Machines,Cloudy,Cloudy
"""
"""A bill with a charge of every category, and the longest amount that Parquet takes."""


def fill(install: Install) -> None:
    """Refresh `install` from six providers and two files, and declare what nobody reports.

    Currencies are USD, EUR and CNY; what is known is reported, derived and declared.
    """
    with ExitStack() as stack:
        account = demo_account(_now().date())
        openrouter = stack.enter_context(OpenRouter(_now, [account]))
        company = stack.enter_context(Company(_now))
        accounts = "".join(
            f'[[account]]\nname = "main"\nprovider = "{one.provider}"\n'
            f'base_url = "{one.biller.base_url}"\n{one.options}\n'
            for one in company.connected
        )
        folder = _bills(install.folder)
        install.configure(
            openrouter,
            more=f'{accounts}[[account]]\nname = "files"\nprovider = "focus"\nfolder = "{folder}"\n'
            '[[subscription]]\nname = "ChatGPT Plus"\namount = 20.00\n'
            '[[subscription]]\nname = "@Seats"\namount = 100\nper = "year"\ncurrency = "EUR"\n',
        )
        keys = {f"{one.provider}__main": one.key for one in company.connected}
        install.keep(openrouter__main=account.management_key.secret, **keys)
        _read_before(install, company)
        for words in (
            ("refresh",),
            ("cost", "add", "Server", "0.1234567890123456789012", "--provider", "Acme"),
        ):
            done = install.run(*words)
            assert done.returncode == 0, done.stderr


def _bills(folder: Path) -> Path:
    day = _now().replace(day=1) - timedelta(days=1)
    moments = {"month": day.replace(day=1), "next": day + timedelta(days=1), "day": day}
    days = {name: f"{one:%Y-%m-%d}T00:00:00Z" for name, one in moments.items()}
    bills = folder / "bills"
    bills.mkdir()
    (bills / "acme.csv").write_bytes((BILLS / "focus_1_2.csv").read_bytes())
    (bills / "cloudy.csv").write_text(CLOUD.format(**days, end=days["next"]))
    return bills


def _read_before(install: Install, company: Company) -> None:
    """Note what DeepSeek's balance was on the days before: it tells spend by its fall alone."""
    [account] = [one for one in company.connected if one.biller is company.deepseek]
    known = Account(f"{account.provider}/main", account.provider, account.biller.base_url)
    with closing(open_store(install.state)) as store:
        for at, left in company.past():
            commit(known, store, Reading(at, purses=(Purse("CNY", left, Decimal(0), left),)))


def _now() -> datetime:
    return datetime.now(UTC)

"""What an account says between its first reading and its first completed day."""

from stack_world import NOW, Ledger, ago

from bot.summary import troubles
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account


def test_a_slow_account_that_was_read_is_not_called_unread(tmp_path):
    store = open_store(tmp_path)
    with store.writing() as tx:
        for name in ("deepseek/main", "openai/new"):
            provider = name.partition("/")[0]
            remember_account(tx, name, provider, provider.title(), slow=True)
        note_success(tx, "deepseek/main", "activity", NOW)
    ledger = Ledger(store)
    ledger.steady("anthropic/main", "1", ago(9), ago(1), slow=True, final=ago(3))
    assert troubles(ledger.spend().health, NOW) == [
        "Account deepseek/main was read and tells of no completed day yet.",
        "Account openai/new has not been read yet.",
    ]
    store.close()

"""What people and machines say in the demo world."""

from __future__ import annotations

from typing import NamedTuple

TENANTS = ("harbour-bikes", "lumen-lamps", "northgate-books")
OPERATORS = ("ana", "björn", "chidi", "dolores", "emre")
LEAD = "ingrid"

CUSTOMERS = (
    "Amara Okafor",
    "Béla Nagy",
    "Carmen Ruiz",
    "Daniel Whitfield",
    "Eilidh MacLeod",
    "François Lemaître",
    "Grażyna Wójcik",
    "Hiroshi Tanaka",
    "Ines Carvalho",
    "Jürgen Weiß",
    "Katarína Šimková",
    "李明",
    "Mette Sørensen",
    "Nadia Haddad",
    "Oisín Byrne",
    "Priya Raman",
    "Quentin Moreau",
    "Rosa Bianchi",
    "Søren Dahl",
    "Tamar Levi",
    "Umberto Gallo",
    "Vesna Petrović",
    "Wanjiru Kamau",
    "Yusuf Demir",
)

PRODUCTS = {
    "harbour-bikes": ("Tern folding bike", "child seat", "hub gear kit", "rain cape", "cargo rack", "disc brake set"),
    "lumen-lamps": (
        "desk lamp Arc",
        "pendant Oslo",
        "LED strip 5 m",
        "dimmer switch",
        "reading light",
        "bulb pack E27",
    ),
    "northgate-books": ("atlas of harbours", "cookbook", "school reader", "signed novel", "calendar", "box set"),
}


class Topic(NamedTuple):
    """A kind of support task: titles and bodies with {product}, {customer}, {order}, {days}."""

    kind: str
    category: str
    priority: str
    titles: tuple[str, ...]
    bodies: tuple[str, ...]


TOPICS = (
    Topic(
        "delivery",
        "shipping",
        "normal",
        ("Where is my {product}?", "Order {order} not arrived after {days} days", "Parcel marked delivered, not here"),
        (
            "Tracking for {order} has not moved for {days} days. I need the {product} before the weekend.",
            "The carrier says delivered, but neither I nor my neighbours have seen it.\n\nRegards, {customer}",
        ),
    ),
    Topic(
        "refund",
        "billing",
        "high",
        ("Charged twice for {order}", "Refund for the {product} not on my account", "Wrong amount on invoice {order}"),
        (
            "My card was charged twice on the same day for {order}. Please return one of the two payments.",
            "You promised the refund within 5 days; it has been {days}. Please look into it.",
        ),
    ),
    Topic(
        "account",
        "login",
        "normal",
        ("Cannot sign in since the update", "Reset link for {customer} expires at once", "Please change my address"),
        (
            "The reset link says it has expired as soon as I open it. I tried three browsers.",
            "We have moved. Please send {order} to the new address in my account.",
        ),
    ),
    Topic(
        "question",
        "product",
        "low",
        (
            "Does the {product} fit older models?",
            "Is the {product} back in stock soon?",
            "Spare parts for the {product}",
        ),
        (
            "I bought one in 2019 and would like to know whether the new {product} fits.",
            "Two of my friends want one too. When do you expect the {product} again?",
        ),
    ),
    Topic(
        "complaint",
        "quality",
        "high",
        ("{product} broken on arrival", "Second faulty {product} in a row", "Missing screws in the {product} box"),
        (
            "The box was dented and the {product} inside is cracked. Photos are attached to order {order}.",
            "This is the second time. I am losing patience, and so is my daughter.\n\n{customer}",
        ),
    ),
    Topic(
        "outage",
        "checkout",
        "urgent",
        (
            "Checkout fails for every card payment",
            "Gift codes refused at checkout",
            "Prices shown in the wrong currency",
        ),
        (
            "Since this morning nobody can pay by card; the page says 'try again later'. Five customers have called.",
            "All prices for visitors from abroad show ¥ instead of €.",
        ),
    ),
    Topic(
        "spam",
        "spam",
        "low",
        ("Grow your web traffic today!!!", "URGENT business proposal", "You have won a {product}"),
        ("Dear Sir or Madam, we offer first page ranking at best price.", "Reply within {days} days to claim."),
    ),
)

RETURN_REASONS = (
    ("wrong size", "The {product} is too small. Unused, in its box."),
    ("faulty", "The {product} stopped working after {days} days."),
    ("not as described", "The colour is not the one on the website."),
    ("changed my mind", "I no longer need the {product}."),
    ("arrived too late", "It was a present, and the birthday is over."),
)


class Fault(NamedTuple):
    """A kind of exception: the job that failed and how it says so."""

    kind: str
    category: str
    titles: tuple[str, ...]
    error: str


FAULTS = (
    Fault(
        "payment_webhook",
        "payments",
        ("Payment provider timed out for {order}", "Webhook for {order} refused: signature does not match"),
        "HTTPStatusError: 504 Gateway Timeout while posting to the payment provider",
    ),
    Fault(
        "stock_sync",
        "warehouse",
        ("Stock of {product} is negative", "Warehouse file cut off after {days},000 lines"),
        "ValueError: stock level -3 is below zero",
    ),
    Fault(
        "label_print",
        "shipping",
        ("Carrier refused the address of {order}", "No label for {order}: postcode unknown"),
        "CarrierError: address could not be validated (code 1142)",
    ),
    Fault(
        "invoice_export",
        "accounting",
        ("Invoice {order} has no VAT number", "Ledger closed, {order} left over"),
        "LedgerClosed: period 2026-01 does not accept new entries",
    ),
)

COMMENTS = (
    "Called the customer, no answer. Will try again this afternoon.",
    "Sent the photos to the supplier.",
    "Waiting for the carrier to confirm.",
    "Customer is happy with a replacement.",
    "Same as last week; is the fix out yet?",
    "Refund approved by accounting.",
    "Asked for the order number.",
)
SKIP_REASONS = ("needs somebody who speaks Polish", "I know the customer", "waiting for a colleague's answer")

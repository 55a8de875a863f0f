"""Which periods of a line are covered, by which money: worked out from the documents and what is written down.

What was written down goes first, so that no edit takes away what was paid: that goes with money that is given back,
and is marked as lost where money vanished in another way.
"""

from odoo import fields

from .saas_ledger import NOISE, Ledger


def keep(ledgers):
    """Write down what differs, all new parts at once."""
    for line in [*ledgers][:1]:
        line.env["saas.part"]._keep([part for ledger in ledgers.values() for part in ledger.write()])


class InvoiceFold:
    """Invoice lines that were made without an order."""

    def __init__(self, lines, now=None):
        self.ledgers = {line: Ledger(line, now or fields.Datetime.now()) for line in lines}

    def work_out(self):
        for line, ledger in self.ledgers.items():
            source = f"inv:{line.id}"
            credited = line._saas_credited_quantity() + line._saas_refunded_quantity()
            sold = max(0.0, line._saas_periods(line.quantity - credited))
            money, share = line.move_id._saas_money()
            if source in ledger.parts:
                if money == "back":
                    ledger.refund(source, ledger.parts[source]["quantity"])
                elif credited > 0:
                    ledger.shrink({source}, sold)
                ledger.lose_share(source, money, share, line.price_total)
            if money == "here":
                date = line.move_id.saas_replaced_move_id.saas_paid_on
                ledger.add(source, sold - ledger.here({source}), line.price_total, date)
        return self

    def write(self):
        keep(self.ledgers)


class Pot:
    """Money of one payment that was used for nothing yet, in its own currency; `spent`: what was used."""

    def __init__(self, document, money, currency, date, spent=0.0, refunded=0.0):
        self.document, self.money, self.currency, self.date = document, money, currency, date
        self.spent, self.paid, self.refunded = spent, money, refunded

    def spend(self, money):
        self.money -= money
        self.spent += money


class OrderFold:
    """Orders, and those that share payments with them: these are paid in their order."""

    def __init__(self, orders, now=None):
        now = now or fields.Datetime.now()
        orders = orders.filtered("saas_confirmed_on")
        while more := orders.transaction_ids.sale_order_ids - orders:
            orders |= more
        self.orders = orders.filtered(lambda order: order.state != "cancel").sorted("id")
        self.lines = {order: order._saas_sold_lines() for order in self.orders}
        self.ledgers = {
            line: Ledger(line, now)
            for order in self.orders.filtered(lambda order: order._saas_is_live())
            for line in self.lines[order].filtered(lambda line: line._saas_sold_plan())
        }
        self.ordered = {line: line._saas_periods(line.product_uom_qty) for line in self.ledgers}
        # What credit notes took away is owed by nobody.
        self.sold = {line: max(0.0, self.ordered[line] - line._saas_periods(line._saas_credited_quantity())) for line in self.ledgers}
        # What of a line no payment of the order pays for, in the order's currency.
        self.open = {}
        # What the credit notes say, less the refunds that go with them.
        self.credits = {}

    def work_out(self):
        for line, ledger in self.ledgers.items():
            ledger.order(self.ordered[line])
            self._settle_invoices(line, ledger)
        pots = {}
        for order in self.orders:
            self._spread(order, pots)
        for source, pot in pots.items():
            if pot.refunded:
                self._take_refunds(source, pot.document, pot.currency, pot.paid, pot.refunded)
        # An order that costs nothing is paid with its confirmation, whenever its invoice comes.
        free = self.orders.filtered(lambda order: order._saas_costs_nothing())
        for order in free:
            self._add_free(order)
        for line, ledger in self.ledgers.items():
            self._add_invoices(line, ledger)
        for order in self.orders - free:
            self._add_free(order)
        return self

    def write(self):
        keep(self.ledgers)

    def _settle_invoices(self, line, ledger):
        """What became of the invoices that paid parts of the line."""
        made = line._saas_invoice_lines()
        by_source = {f"inv:{one.id}": one for one in made}
        for source in ledger.paid():
            if not source.startswith("inv:"):
                continue
            one = by_source.get(source)
            money, share = one.move_id._saas_money() if one else ("away", 0.0)
            if money == "back":
                ledger.refund(source, ledger.parts[source]["quantity"])
            else:
                ledger.lose_share(source, money, share, one.price_total if one else 0.0)
        for one in made:
            # The credit note of one invoice takes nothing of what another one paid.
            given = line._saas_given_back_of(one)
            if given > 0 and f"inv:{one.id}" in ledger.parts:
                ledger.shrink({f"inv:{one.id}"}, max(0.0, line._saas_invoiced_periods(one) - one._saas_periods(given)))
        if refunded := line._saas_given_back():
            standing = made.filtered(lambda one: one.parent_state != "cancel")
            invoiced = sum(line._saas_invoiced_periods(one) for one in standing)
            sources = set(by_source) | {f"tx:{tx.id}" for tx in standing.move_id._saas_paying_transactions()}
            sources.update(*(move._saas_paid_before_by(line.order_id) for move in standing.move_id))
            ledger.shrink(sources, max(0.0, invoiced - line._saas_periods(refunded)))

    def _spread(self, order, pots):
        """The money of payments goes to the lines of the order, in their order."""
        lines = self.lines[order]
        positive = sum(max(0.0, line.price_total) for line in lines)
        # What a gift card pays is no discount.
        owed = order.amount_total - sum(order._saas_card_lines().mapped("price_total"))
        factor = max(0.0, owed) / positive if positive else 0.0
        payers = order._saas_payers()
        self._lose_cards(lines, {source for source, _document in payers})
        for line in lines:
            self.open[line] = max(0.0, line.price_total) * factor * self._uncovered(line)
        for source, document in payers:
            if source not in pots:
                pots[source] = self._pot(source, document)
            pot = pots[source]
            if pot.money > 0:
                self._pour(order, source, pot)

    def _lose_cards(self, lines, sources):
        """A gift card that is no longer on the order: Odoo takes it off and puts it back when promotions are worked out anew."""
        for ledger in [self.ledgers[line] for line in lines if line in self.ledgers]:
            for source in ledger.paid():
                if source.startswith("card:") and source not in sources:
                    ledger.lose(source, ledger.parts[source]["quantity"])

    def _pour(self, order, source, pot):
        rate = pot.currency._convert(1.0, order.currency_id, order.company_id, pot.date, round=False)
        # What was rounded off is nobody's debt.
        tolerance = order.currency_id.rounding / 2
        if pot.currency != order.currency_id:
            tolerance += pot.currency.rounding * rate
        for line in self.lines[order]:
            value, room = self.open[line], pot.money * rate
            if value <= NOISE or room <= NOISE:
                continue
            taken = min(value, room)
            share = 1.0 if value - taken <= tolerance else taken / value
            money = min(pot.money, taken / rate)
            if ledger := self.ledgers.get(line):
                ledger.add(source, (self.sold[line] - ledger.here()) * share, money, spent_before=pot.spent)
            pot.spend(money)
            self.open[line] = 0.0 if share == 1.0 else value - taken

    def _uncovered(self, line):
        """Which share of an ordered line nothing pays for."""
        if ledger := self.ledgers.get(line):
            ordered = self.ordered[line]
            return max(0.0, self.sold[line] - ledger.here()) / ordered if ordered > 0 else 0.0
        if line.product_uom_qty <= 0:
            return 1.0
        paid = line._saas_invoice_lines().filtered(
            lambda one: one.move_id._saas_money()[0] == "here" and not one.move_id._saas_paying_transactions()
        )
        quantity = sum(one.product_uom_id._compute_quantity(one.quantity, line.product_uom_id, round=False) for one in paid)
        return max(0.0, 1 - quantity / line.product_uom_qty)

    def _pot(self, source, document):
        """What is left of the money of a payment. What it paid before stays paid, unless money went back."""
        money, refunded, currency, date, gone = document._saas_pot(self.orders)
        ledgers = [ledger for ledger in self.ledgers.values() if source in ledger.parts]
        for ledger in ledgers:
            if gone == "back":
                ledger.refund(source, ledger.parts[source]["quantity"])
            else:
                ledger.lose(source, ledger.parts[source]["quantity"] if gone == "away" else 0.0)
        if gone:
            return Pot(document, 0.0, currency, date)
        if not ledgers:
            # Nothing is known of it yet: it paid all it could, before anything was refunded.
            return Pot(document, max(0.0, money - document._saas_said_by(self.orders)), currency, date, refunded=refunded)
        used = self._take_refunds(source, document, currency, money, refunded)
        credited = sum(ledger.parts[source]["credited"] for ledger in ledgers)
        left = max(0.0, money - refunded - used) - max(0.0, credited - refunded) - document._saas_said_by(self.orders)
        return Pot(document, left, currency, date, spent=used + credited)

    def _take_refunds(self, source, document, currency, money, refunded):
        """Take away what is paid no more; returns what of the money is used for plans.

        A refund names no lines: it gives back what was spent last, unless credit notes say what it is for.
        """
        ledgers = [ledger for ledger in self.ledgers.values() if source in ledger.parts]
        used = sum(ledger.parts[source]["amount"] for ledger in ledgers)
        kept = money - self._without_credit_note(document, refunded, currency)
        for ledger in reversed(ledgers):
            part = ledger.parts[source]
            excess = max(used - (money - refunded), min(part["amount"], part["spent_before"] + part["amount"] - kept))
            if excess <= currency.rounding / 2 or part["quantity"] <= NOISE:
                continue
            # A refund of less than a period is a favour, and what was sold stays sold.
            before = part["amount"]
            whole = before <= excess + currency.rounding / 2
            ledger.refund(source, part["quantity"] if whole else int(part["quantity"] * excess / before + 0.001))
            used -= before - part["amount"]
        return used

    def _without_credit_note(self, document, refunded, currency):
        """How much of a refund no credit note of the orders speaks of: these say which lines they undo."""
        orders = document.sale_order_ids & self.orders if refunded and document._name == "payment.transaction" else self.orders.browse()
        for note in orders._saas_credit_notes():
            rate = note.currency_id._convert(1.0, currency, note.company_id, note.date, round=False)
            said = self.credits.setdefault(note, note.amount_total)
            taken = min(refunded, said * rate)
            self.credits[note] -= taken / rate
            refunded -= taken
        return refunded

    def _add_invoices(self, line, ledger):
        """What paid invoices cover, where the payments of the order that paid them do not cover it already."""
        made = line._saas_invoice_lines().sorted(lambda one: (one.move_id.saas_paid_on or ledger.now, one.id))
        invoiced = sum(line._saas_invoiced_periods(one) for one in made if one.parent_state == "posted")
        most = max(self.ordered[line], invoiced) - line._saas_periods(line._saas_given_back())
        absorbed = {}
        for one in made.filtered(lambda one: one.move_id._saas_is_paid()):
            if one.move_id._saas_is_paid_back_online(line.order_id):
                continue
            periods = line._saas_invoiced_periods(one)
            wanted = periods - one._saas_periods(line._saas_given_back_of(one))
            for other in one.move_id._saas_paid_before_by(line.order_id):
                returned = ledger.parts[other]["returned"] if other in ledger.parts else 0.0
                room = ledger.here({other}) + returned - absorbed.get(other, 0.0)
                absorbed[other] = absorbed.get(other, 0.0) + max(0.0, min(room, wanted))
                wanted -= max(0.0, min(room, wanted))
            source = f"inv:{one.id}"
            more = min(wanted - ledger.here({source}), most - ledger.here())
            if more > NOISE:
                ledger.add(source, more, one.price_total * more / periods)

    def _add_free(self, order):
        """A line that costs nothing is covered when all that costs something is."""
        lines = self.lines[order]
        free = order._saas_costs_nothing()
        if not free and any(
            self.open[line] > order.currency_id.rounding / 2 and self._uncovered(line) > NOISE for line in lines
        ):
            return
        ledgers = [self.ledgers[line] for line in lines if line in self.ledgers]
        paid = [ledger.date(source) for ledger in ledgers for source in ledger.paid()]
        for ledger in ledgers:
            if free or ledger.line.price_total <= 0:
                since = False if free else max(paid, default=ledger.now)
                ledger.add(f"free:{ledger.line.id}", self.sold[ledger.line] - ledger.here(), date=since)

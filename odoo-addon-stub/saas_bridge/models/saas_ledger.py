"""The parts of one line that sells a plan: plain Python over what is written down as saas.part."""

from datetime import timedelta

# Below that a part of a period is noise of the arithmetic.
NOISE = 1e-6
# Another payment takes the place of one that vanished so shortly before: an invoice made anew, money matched with another.
REPLACED_WITHIN = timedelta(days=2)
COLUMNS = ("quantity", "lost", "amount", "credited", "spent_before", "returned", "date", "vanished_on")


class Ledger:
    """The parts of one line: as they were written down, and as they are to be.

    `parts`: the values of saas.part by source. Nothing is written before `write`.
    """

    def __init__(self, line, now):
        self.line = line
        self.now = now
        self.known = {part.source: part for part in line.saas_part_ids}
        self.parts = {source: {name: part[name] for name in COLUMNS} for source, part in self.known.items()}

    def paid(self, sources=None):
        """Sources of the parts that cover something, the first paid first."""
        found = [
            source
            for source, part in self.parts.items()
            if not source.startswith("ordered:") and part["quantity"] > NOISE and (sources is None or source in sources)
        ]
        return sorted(found, key=lambda source: (self.date(source), self._number(source), source))

    def date(self, source):
        """When the part was paid or ordered for the first time."""
        return self.parts[source]["date"] or self.line._saas_part_date(source) or self._seen_on(source)

    def here(self, sources=None):
        """Periods whose money is here."""
        return sum(self.parts[source]["quantity"] - self.parts[source]["lost"] for source in self.paid(sources))

    def add(self, source, quantity, amount=0.0, date=False, spent_before=0.0):
        """More of the line is covered by a source; its date is the document's where none is given.

        `spent_before`: what the source had paid before it paid this.
        """
        if quantity <= NOISE:
            return
        part = self.parts.get(source)
        if not part:
            # What takes the place of a payment that has just vanished begins where that one began.
            replaced = self._replace_lost(quantity)
            part = self.parts[source] = dict.fromkeys(COLUMNS, 0.0) | {"date": date or replaced, "vanished_on": False}
            part["spent_before"] = spent_before
        elif part["quantity"] <= NOISE and part["credited"] <= NOISE:
            # Its money was given back, and comes once more. Where a credit note was withdrawn it never went.
            part.update(date=self.now, spent_before=spent_before, returned=0.0)
        part["quantity"] += quantity
        part["amount"] += amount
        part["credited"] = max(0.0, part["credited"] - amount)

    def lose(self, source, lost):
        """So much of a part has no money any more; 0: it is back."""
        part = self.parts[source]
        lost = min(part["quantity"], lost) if lost > NOISE else 0.0
        part["vanished_on"] = (part["vanished_on"] or self.now) if lost else False
        part["lost"] = lost

    def lose_share(self, source, money, share, value):
        """What becomes of a part whose invoice has this money: see account.move._saas_money."""
        part = self.parts[source]
        missing = 0.0 if money == "here" else 1.0
        if money == "away" and part["amount"] > 0:
            # The money that paid the part may be all there, and the invoice have grown.
            missing = max(0.0, 1 - share * value / part["amount"])
        self.lose(source, part["quantity"] * missing)

    def give_back(self, source, quantity):
        """Take away what money was given back for; returns how much that was."""
        part = self.parts[source]
        taken = min(part["quantity"], quantity)
        if taken <= NOISE:
            return 0.0
        part["amount"] *= 1 - taken / part["quantity"]
        part["quantity"] -= taken
        self.lose(source, part["lost"])
        return taken

    def refund(self, source, quantity):
        """Give back what a refund of the payment itself is for: an invoice that it paid does not count for that either."""
        self.parts[source]["returned"] += self.give_back(source, quantity)

    def shrink(self, sources, quantity):
        """Give back what the parts are more than so many periods, the last paid first: there is a credit note for it.

        The money may still be on its payment, and pays nothing else.
        """
        excess = sum(self.parts[source]["quantity"] for source in self.paid(sources)) - quantity
        for source in reversed(self.paid(sources)):
            part = self.parts[source]
            before = part["amount"]
            excess -= self.give_back(source, excess)
            part["credited"] += before - part["amount"]

    def order(self, quantity):
        """So many periods are ordered. What was added later was ordered later; the last ones are taken out first."""
        sources = self._ordered()
        more = quantity - sum(self.parts[source]["quantity"] for source in sources)
        for source in reversed(sources):
            if more < 0:
                taken = min(-more, self.parts[source]["quantity"])
                self.parts[source]["quantity"] -= taken
                more += taken
        if more > NOISE:
            # The first is dated by the order.
            values = {"quantity": more, "date": self.now if sources else False, "vanished_on": False}
            self.parts[f"ordered:{len(sources) + 1}"] = dict.fromkeys(COLUMNS, 0.0) | values

    def told(self, most, trusted):
        """The parts as the daemon is told of them: see purchaseRow in the protocol.

        `most`: periods that are sold; what vanished counts for those only that nothing else pays for.
        `trusted`: whether what nobody paid for is told, too.
        """
        room = max(0.0, most - self.here())
        pieces = []
        for source in self.paid():
            part, date = self.parts[source], self.date(source)
            lost = min(part["lost"], room)
            room -= lost
            here = part["quantity"] - part["lost"]
            pieces.append((source, here, date, False))
            pieces.append((f"{source}:lost" if here > NOISE else source, lost, date, part["vanished_on"]))
        ordered = [(source, self.parts[source]["quantity"], self.date(source)) for source in self._ordered()]
        rows, position = [], 0.0
        for key, quantity, paid_on, vanished_on in pieces:
            for number, (begin, length, since) in enumerate(_overlaps(ordered, position, quantity)):
                own = key if not number else f"{key}:{number}"
                rows.append(_row(own, length, min(since or paid_on, paid_on), paid_on, vanished_on))
            position += quantity
        if trusted:
            for source, begin, length, since in _rest(ordered, position, most):
                rows.append(_row(source, length, since, False, False))
        return rows

    def write(self):
        """Write down what differs; returns what is not known yet, for saas.part._keep."""
        unknown = []
        for source, part in self.parts.items():
            known = self.known.get(source)
            if not known:
                unknown.append((self.line, source, part))
            elif values := {name: value for name, value in part.items() if known[name] != value}:
                known.write(values)
        return unknown

    def _ordered(self):
        return sorted((source for source in self.parts if source.startswith("ordered:")), key=self._number)

    def _replace_lost(self, quantity):
        """The first date of what vanished lately and is replaced: it is missed no longer."""
        first = False
        for source in self.paid():
            part = self.parts[source]
            if part["lost"] <= NOISE or part["vanished_on"] < self.now - REPLACED_WITHIN or quantity <= NOISE:
                continue
            first = first or self.date(source)
            taken = min(part["lost"], quantity)
            lost = part["lost"] - taken
            self.give_back(source, taken)
            self.lose(source, lost)
            quantity -= taken
        return first

    def _seen_on(self, source):
        known = self.known.get(source)
        return known.create_date if known else self.now

    @staticmethod
    def _number(source):
        return int(source.rpartition(":")[2])


def _row(key, quantity, starts_on, paid_on, vanished_on):
    return {"key": key, "quantity": quantity, "starts_on": starts_on, "paid_on": paid_on, "vanished_on": vanished_on}


def _overlaps(ordered, position, quantity):
    """(begin, length, date of the order) of each stretch of the line from a position on; past its end without a date."""
    end, begin = position + quantity, 0.0
    found = []
    for _source, length, since in ordered:
        low, high = max(begin, position), min(begin + length, end)
        if high - low > NOISE:
            found.append((low, high - low, since))
        begin += length
    if end - max(begin, position) > NOISE:
        found.append((max(begin, position), end - max(begin, position), False))
    return found


def _rest(ordered, position, most):
    """(source, begin, length, date) of what is ordered from a position on, up to so many periods."""
    begin = 0.0
    for source, length, since in ordered:
        low, high = max(begin, position), min(begin + length, most)
        if high - low > NOISE:
            yield source, low, high - low, since
        begin += length

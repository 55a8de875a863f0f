"""What a customer reads. Not in a .po file: translations of a module that is not installed are never loaded."""


def refusal(lang, limit, url, before, after):
    """For people of the company whose instance it is. `before` users are active, `after` would be."""
    if _is_spanish(lang):
        users = "1 usuario" if limit == 1 else f"{limit} usuarios"
        if before < limit:
            why = f"y con este cambio serían {after}"
        else:
            why = "y ya está en uso" if limit == 1 else "y ya están todos en uso"
        what = f"Archive un usuario o cambie de plan en {url}." if url else "Archive un usuario o cambie de plan."
        return f"Su plan incluye {users} {why}. {what}"
    users = "1 user" if limit == 1 else f"{limit} users"
    if before < limit:
        why = f"and with this change there would be {after}"
    else:
        why = "who is already active" if limit == 1 else "and all of them are in use"
    what = f"Archive a user or change your plan at {url}." if url else "Archive a user or change your plan."
    return f"Your plan includes {users} {why}. {what}"


def signup(lang):
    """For somebody outside the company who wants an account."""
    if _is_spanish(lang):
        return "No se pueden crear más cuentas por ahora. Diríjase a quien administra este sitio."
    return "No more accounts can be created for now. Please ask whoever runs this site."


def _is_spanish(lang):
    return str(lang or "").startswith("es")

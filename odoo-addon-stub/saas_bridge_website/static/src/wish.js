/**
 * The questions about a new Odoo in the cart: says while typing whether a name is free, and keeps every answer at once.
 * Without it, or if the server does not answer, the form has a button, and the sale goes on in any case.
 */

const TYPING_PAUSE_MS = 350;
const BAD = ["other", "refused", "later"];
let pause;
let asked = 0;

/** Calls a JSON route; null when it could not be reached. */
async function call(route, params) {
    try {
        const response = await fetch(route, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ jsonrpc: "2.0", method: "call", params }),
            // The button to the payment may be what ended the typing.
            keepalive: true,
        });
        return (await response.json()).result || null;
    } catch {
        return null;
    }
}

function answersOf(form) {
    const value = (name) => (form.elements[name] ? form.elements[name].value : "");
    return { line_id: form.dataset.lineId, name: value("name"), lang: value("lang"), target: value("target") };
}

/** `saved`: a name that is not free was replaced by one that is, and that is good news. */
function show(form, answer, saved) {
    const place = form.querySelector(".o_saas_answer");
    if (!answer || !answer.message) {
        return;
    }
    const text = document.createElement("span");
    text.textContent = answer.message;
    const isGood = saved ? !["refused", "later"].includes(answer.status) : !BAD.includes(answer.status);
    text.className = isGood ? "o_saas_good" : "o_saas_bad";
    place.replaceChildren(text);
}

/** Name and language matter for a new Odoo only. */
function showParts(form) {
    const target = form.elements.target;
    const isNew = !target || target.value === "new";
    for (const part of form.querySelectorAll(".o_saas_wish_new, .o_saas_wish_hint")) {
        part.toggleAttribute("data-hidden", !isNew);
    }
    if (!isNew) {
        form.querySelector(".o_saas_answer").replaceChildren();
    }
}

async function check(form) {
    const number = ++asked;
    const { line_id, name } = answersOf(form);
    const answer = await call("/shop/saas/name", { line_id, name });
    // Answers may overtake each other: only the last question counts.
    if (number === asked) {
        show(form, answer, false);
    }
}

async function save(form) {
    clearTimeout(pause);
    const number = ++asked;
    const input = form.elements.name;
    const typed = input.value;
    const answer = await call("/shop/saas/wish", answersOf(form));
    if (!answer || number !== asked) {
        return;
    }
    if (input.value === typed && answer.name) {
        input.value = answer.name;
    }
    show(form, answer, true);
}

const formOf = (event) => event.target.closest?.("form.o_saas_wish");

document.addEventListener("input", (event) => {
    const form = formOf(event);
    if (form && event.target.name === "name") {
        clearTimeout(pause);
        pause = setTimeout(() => check(form), TYPING_PAUSE_MS);
    }
});

document.addEventListener("change", (event) => {
    const form = formOf(event);
    if (form) {
        showParts(form);
        save(form);
    }
});

document.addEventListener("submit", (event) => {
    const form = formOf(event);
    if (form) {
        event.preventDefault();
        save(form);
    }
});

"""The citizen's pages: addresses, and what each does before it draws."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from adapters.contract import NextStep, PayReference, Redirect
from gateway.checkout import TEMPLATES
from gateway.checkout.link_page import LinkPage
from gateway.checkout.outcome import render_outcome
from gateway.checkout.pay_page import PayForm, choose_method, empty_form, read_form, render_pay
from gateway.checkout.receipts import Receipts
from gateway.checkout.standing import CLOSED, State, state_of
from gateway.checkout.trouble import Trouble, trouble_of
from gateway.checkout.visit import Visit, form_key
from gateway.deps import Deps
from gateway.domain.attempt import AttemptStatus
from gateway.domain.errors import MethodUnavailableError, NothingToPayError, OverloadedError, TransitionError
from gateway.services.attempts.look_again import look_again
from gateway.services.attempts.receive_return import receive_return
from gateway.services.attempts.start_payment import start_payment
from gateway.services.intents.cancel_intent import cancel_intent
from gateway.services.messages.promise_word import promise_word
from gateway.services.payers.is_processing import is_processing
from gateway.services.payers.read_checkout import read_checkout
from gateway.services.payers.renew_link import renew_link
from gateway.services.payers.views import CheckoutView
from gateway.web.guesses import GUESSES, Guesses
from gateway.web.identity import Identity
from gateway.web.pages import Pages

RESULT_WAIT_S: Final = 15.0
_LOOKS_S: Final = (0.2, 0.3, 0.5, 1.0, 1.0, 2.0)
"""Pauses between looks at our own state while a payer waits; the last one repeats."""
_ASK_AT_LOOKS: Final = (2, 6)
"""After which looks the provider is to be asked, should its callback be lost."""
WAITING_AT_ONCE_MAX: Final = 2_000
_STEP_WAITS_S: Final = (0.1, 0.2, 0.4, 0.8, 1.5)
_WEB_SCHEMES: Final = frozenset({"https", "http"})
_WAITING: Final = frozenset({State.STARTED, State.CHECKING})

_AT_ONCE: Final = "at_once"
_NEXT: Final = {Redirect: "/continue", PayReference: f"/result?{_AT_ONCE}=1"}
"""Where a payer goes from the form. What to transfer is to be seen at once: there is nothing yet to wait for."""

Handler = Callable[[Visit], Awaitable[web.Response]]


class Checkout:
    """Draws one government's checkout from what the services say."""

    def __init__(self, deps: Deps, pages: Pages, result_wait_s: float) -> None:
        self._deps = deps
        self._pages = pages
        self._key = form_key(deps.link_secrets[0])
        self._result_wait_s = result_wait_s
        self._waiting = 0

    async def pay(self, visit: Visit) -> web.Response:
        view = await read_checkout(self._deps, visit.token)
        visit.settle_language(view.language)
        state = state_of(view)
        asked = visit.request.query.get("method")
        # Whoever waits for one provider may change to another way; the service first gives the other up there.
        changes = state is State.STARTED and asked in set(view.methods)
        if view.methods and (state in (State.PAYABLE, State.DECLINED) or changes):
            form = empty_form(view, choose_method(view, asked))
            trouble = trouble_of(view, self._pages.languages[visit.language]) if state is State.DECLINED else None
            return visit.page(render_pay(self._pages, view, visit.language, self._key, form, trouble=trouble))
        return visit.page(render_outcome(self._pages, view, state, visit.language, self._key))

    async def start(self, visit: Visit) -> web.Response:
        view = await read_checkout(self._deps, visit.token)
        visit.settle_language(view.language)
        posted = await visit.form(self._key, "pay")
        if posted is None:
            return visit.stale()
        state = state_of(view)
        if state in CLOSED or (not view.methods and state in (State.PAYABLE, State.DECLINED)):
            return visit.go("")
        # A double click, a second tab or the back button is no error: the service goes on with what was started.
        form = read_form(view, posted, self._pages.languages[visit.language])
        if form.errors:
            return self._again(visit, view, form)
        try:
            started = await start_payment(self._deps, visit.token, form.method, form.contact, language=visit.language)
        except NothingToPayError:
            return visit.go("")
        except MethodUnavailableError:
            language = self._pages.languages[visit.language]
            trouble = Trouble(
                language.text("This way to pay is not available just now"),
                language.text("The payment service could not be reached."),
            )
            return self._again(visit, view, form, trouble)
        step = started.next_step or await self._step_of_another_click(visit.token)
        return visit.go(_NEXT.get(type(step), "/result"))

    async def _step_of_another_click(self, token: str) -> NextStep | None:
        """Give the first of two clicks a moment: it talks to the provider, and its answer is this one's too."""
        for pause in _STEP_WAITS_S:
            attempt = (await read_checkout(self._deps, token)).last_attempt
            if attempt is None or attempt.status is not AttemptStatus.STARTING:
                return attempt.next_step if attempt else None
            await asyncio.sleep(pause)
        return None

    def _again(self, visit: Visit, view: CheckoutView, form: PayForm, trouble: Trouble | None = None) -> web.Response:
        page = render_pay(self._pages, view, visit.language, self._key, form, trouble=trouble)
        return visit.page(page, status=422)

    async def change_language(self, visit: Visit) -> web.Response:
        """Show the page in the other language with what was typed so far; nothing typed ever stands in an address."""
        view = await read_checkout(self._deps, visit.token)
        posted = await visit.form(self._key, "pay")
        if posted is None:
            return visit.stale()
        visit.choose_language(str(posted.get("language") or ""))
        if state_of(view) not in (State.PAYABLE, State.DECLINED) or not view.methods:
            return visit.go("")
        form = read_form(view, posted, self._pages.languages[visit.language])
        unjudged = PayForm(form.method, form.typed)
        return visit.page(render_pay(self._pages, view, visit.language, self._key, unjudged))

    async def proceed(self, visit: Visit) -> web.Response:
        """Send the payer on to the provider's page.

        Not by answering the form's POST with a redirect: `form-action 'self'` would stop that in Chromium, and naming
        providers in the policy would let an injected form post to them. The Refresh header is a fresh navigation, and
        the page has the link for whoever it does not carry.
        """
        view = await read_checkout(self._deps, visit.token)
        visit.settle_language(view.language)
        step = _redirect_of(view)
        if step is not None and step.expires_at is not None and step.expires_at <= self._deps.clock():
            await renew_link(self._deps, visit.token, visit.language)
            view = await read_checkout(self._deps, visit.token)
            step = _redirect_of(view)
            if step is not None and step.expires_at is not None and step.expires_at <= self._deps.clock():
                return visit.go("/result")  # there is no fresh link: the payment has gone on, or nobody answers
        if step is None:
            return visit.go("")
        parts = urlsplit(step.url)
        if parts.scheme not in _WEB_SCHEMES or not parts.hostname:
            raise ValueError("a provider's page is not a web address")
        page = self._pages.render(
            "continue.html",
            visit.language,
            view=view,
            address=step.url,
            host=parts.hostname,
            trial=self._pages.trial_of(view.live),
        )
        response = visit.page(page)
        response.headers["Refresh"] = f"0; url={step.url}"
        return response

    async def land(self, visit: Visit) -> web.Response:
        """Take a payer in who comes back from their bank, and lead them to their own payment."""
        query = visit.request.query
        single = {name: query[name] for name in query if len(query.getall(name)) == 1}
        address = await receive_return(self._deps, visit.request.match_info["provider"], single)
        return visit.lead(address)

    async def result(self, visit: Visit) -> web.Response:
        """Hold the payer's request until the answer is known, or for a quarter of a minute."""
        at_once = _AT_ONCE in visit.request.query
        view = await (read_checkout(self._deps, visit.token) if at_once else self._await_answer(visit.token))
        visit.settle_language(view.language)
        state = state_of(view)
        if state is State.PAID:
            return visit.go("/receipt")
        if state in CLOSED or state in (State.PAYABLE, State.DECLINED):
            return visit.go("")
        shown = State.CHECKING if _redirect_of(view) else state
        if shown is State.CHECKING and not await self._promise(view):
            return visit.go("/result")
        return visit.page(render_outcome(self._pages, view, shown, visit.language, self._key))

    async def _promise(self, view: CheckoutView) -> bool:
        """Keep in mind that this payer will be told; False when the answer has come while the page was made."""
        attempt = view.last_attempt
        return attempt is None or await promise_word(self._deps, attempt.attempt_id)

    async def _await_answer(self, token: str) -> CheckoutView:
        """Wait without a thread and without a connection: asleep, with one small question now and then."""
        view = await read_checkout(self._deps, token)
        if state_of(view) not in _WAITING or self._waiting >= WAITING_AT_ONCE_MAX:
            return view
        self._waiting += 1
        waited, looks, processing = 0.0, 0, True
        try:
            while processing and waited < self._result_wait_s:
                pause = _LOOKS_S[min(looks, len(_LOOKS_S) - 1)]
                await asyncio.sleep(pause)
                waited, looks = waited + pause, looks + 1
                # A database that is busy just now is no answer either: sleep on.
                with suppress(OverloadedError):
                    processing = await is_processing(self._deps, token)
                    if processing and looks in _ASK_AT_LOOKS:
                        await look_again(self._deps, token)
        finally:
            self._waiting -= 1
        return view if processing else await read_checkout(self._deps, token)

    async def state(self, visit: Visit) -> web.Response:
        """Tell the optional script whether there is anything new to show."""
        return visit.data({"waiting": await is_processing(self._deps, visit.token)})

    async def cancel(self, visit: Visit) -> web.Response:
        if await visit.form(self._key, "cancel") is None:
            return visit.stale()
        try:
            await cancel_intent(self._deps, visit.token)
        except TransitionError:
            # It was paid, or closed, in the meantime: the payment's own page says which.
            return visit.go("")
        return visit.go("")


def _redirect_of(view: CheckoutView) -> Redirect | None:
    step = view.last_attempt.next_step if view.last_attempt else None
    return step if state_of(view) is State.STARTED and isinstance(step, Redirect) else None


def add_routes(
    app: web.Application, deps: Deps, identity: Identity | None = None, *, result_wait_s: float = RESULT_WAIT_S
) -> None:
    """Put the citizen's pages, and what they load, into the application."""
    app.setdefault(GUESSES, Guesses(deps))
    shown = identity or Identity(address=urlsplit(deps.public_url).netloc)
    pages = Pages(shown, TEMPLATES)
    checkout, receipts = Checkout(deps, pages, result_wait_s), Receipts(deps, pages)
    link = LinkPage(deps, pages)

    def bound(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            return await Visit(request, deps, pages).answer(handler)

        return handle

    def fixed(template: str) -> Handler:
        async def show(visit: Visit) -> web.Response:
            return visit.page(pages.render(template, visit.language, trial=shown.trial))

        return show

    gets: Mapping[str, Handler] = {
        "/pay/{token}": checkout.pay,
        "/pay/{token}/continue": checkout.proceed,
        "/pay/{token}/result": checkout.result,
        "/pay/{token}/state": checkout.state,
        "/pay/{token}/receipt": receipts.receipt,
        "/pay/{token}/receipt.pdf": receipts.pdf,
        "/returns/{provider}": checkout.land,
        "/link/{token}": link.show,
        "/verify": receipts.ask,
        "/verify/{number}/{code}": receipts.verify,
        "/accessibility": fixed("accessibility.html"),
        "/privacy": fixed("privacy.html"),
    }
    posts: Mapping[str, Handler] = {
        "/pay/{token}": checkout.start,
        "/pay/{token}/language": checkout.change_language,
        "/link/{token}": link.press,
        "/pay/{token}/cancel": checkout.cancel,
        "/pay/{token}/rating": receipts.rate,
        "/pay/{token}/receipt/send": receipts.send_again,
    }
    for path, handler in gets.items():
        app.router.add_get(path, bound(handler))
    for path, handler in posts.items():
        app.router.add_post(path, bound(handler))
    # A language page reloaded by GET, as browsers do after an address is typed again, is the pay page itself.
    app.router.add_get("/pay/{token}/language", bound(checkout.pay))
    pages.assets.add_routes(app)

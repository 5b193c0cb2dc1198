"""API keys on the set-up page, by mouse and by keyboard: shown once, listed, revoked by a held button."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.test_dashboard import hold
from tests.browser.test_setup_page import opens_setup


def opens_form(page: Page, desk: LiveDesk) -> Page:
    opens_setup(page, desk)
    page.get_by_text("Make a key").click()
    return page


def reads(desk: LiveDesk, token: str) -> int:
    return desk.stranger().get("/api/state", headers={"X-API-Key": token}).status_code


def test_a_key_is_shown_once_and_revoked_by_a_held_button(page: Page, desk: LiveDesk) -> None:
    opens_form(page, desk)
    page.get_by_label("Name", exact=True).fill("wall display")
    page.get_by_label("Account", exact=True).fill("trader-1")
    page.get_by_role("checkbox", name="state:read").check()
    page.get_by_label("The dashboard's password").fill("nonsense")
    page.get_by_role("button", name="Make key").click()
    expect(page.locator('[data-slot="keys-answer"]')).to_contain_text("the password is wrong")
    page.get_by_label("The dashboard's password").fill(PASSWORD)
    page.get_by_role("button", name="Make key").click()
    shown = page.locator('[data-slot="token"]')
    expect(shown).to_contain_text("lk_")
    expect(shown).to_be_focused()
    token = shown.text_content() or ""
    assert reads(desk, token) == 200
    row = page.locator('[data-slot="keys-list"] li', has_text="wall display")
    expect(row).to_contain_text("account trader-1")
    expect(row).to_contain_text("state:read")
    expect(page.get_by_label("The dashboard's password")).to_have_value("")

    revoke = row.get_by_role("button", name="Hold to revoke")
    revoke.click()
    expect(page.locator('[data-slot="keys-answer"]')).to_contain_text("Hold the button")
    assert reads(desk, token) == 200
    hold(revoke)
    expect(page.locator('[data-slot="keys-answer"]')).to_contain_text("is revoked")
    expect(row).to_have_count(0)
    assert reads(desk, token) == 401
    expect(shown).to_be_hidden()


def test_the_text_of_a_key_is_gone_after_the_page_was_left(page: Page, desk: LiveDesk) -> None:
    opens_form(page, desk)
    page.get_by_label("Name", exact=True).fill("notebook")
    page.get_by_role("checkbox", name="journal:read").check()
    page.get_by_label("The dashboard's password").fill(PASSWORD)
    page.get_by_role("button", name="Make key").click()
    token = page.locator('[data-slot="token"]')
    expect(token).to_contain_text("lk_")
    secret = (token.text_content() or "").split("_", 2)[2]
    page.reload()
    expect(page.locator('[data-slot="keys-list"]')).to_contain_text("notebook")
    assert secret not in page.content()


def test_a_key_is_made_and_revoked_without_a_mouse(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    page.locator(".key-form summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_label("The dashboard's password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    row = page.locator('[data-slot="keys-list"] li', has_text="by keyboard")
    expect(row).to_contain_text("state:read")
    row.get_by_role("button", name="Hold to revoke").focus()
    page.keyboard.down("Enter")
    expect(page.locator('[data-slot="keys-answer"]')).to_contain_text("is revoked")
    page.keyboard.up("Enter")
    expect(row).to_have_count(0)


def test_what_is_missing_is_said_before_anything_is_sent(page: Page, desk: LiveDesk) -> None:
    opens_form(page, desk)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Make key").click()
    expect(page.locator('[data-slot="keys-answer"]')).to_contain_text("Name the key")
    page.get_by_label("Name", exact=True).fill("display")
    page.get_by_role("button", name="Make key").click()
    expect(page.locator('[data-slot="keys-answer"]')).to_contain_text("Choose what the key opens")
    assert not [url for url in sent if url.endswith("/api/keys")]

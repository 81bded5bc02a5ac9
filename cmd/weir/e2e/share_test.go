package e2e

import (
	"bytes"
	"context"
	"image/png"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"weir/cmd/weir/browsertest"
)

// noteCopies keeps what a page copies: whether browsers let it is not what is tested.
const noteCopies = `window.copied = []; navigator.clipboard.writeText = async (text) => { copied.push(text); };`

// withoutClipboard is a page over plain HTTP: what is selected can be copied.
const withoutClipboard = `window.copied = []; Object.defineProperty(navigator, "clipboard", {value: undefined});
addEventListener("copy", () => { copied.push(document.activeElement.value); });`

// TestShare: links are shared with the keyboard alone, and their codes are read from the
// screen.
func TestShare(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	p := c.Open(t, s.url+"/publish?name=e2e/share", noteCopies)
	p.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	p.Click("#toggle")
	p.Wait("live", `document.documentElement.dataset.state === "live"`)
	link := s.url + "/watch/e2e/share"
	shareByKeyboard(p, "#share-more", link)
	if eval[bool](p, `document.querySelector("#mute").hasAttribute("data-off")`) {
		t.Error("a key was pressed in the dialog, and the page took it for its own")
	}
	shareByMouse(p, "#share-more", link)
	p.Quiet()

	v := c.Open(t, link, noteCopies)
	v.Wait("picture", `document.querySelector("#player").videoWidth > 0`)
	shareByKeyboard(v, "#share", link)
	if eval[bool](v, `document.querySelector("#player").muted`) {
		t.Error("a key was pressed in the dialog, and the player took it for its own")
	}
	v.Quiet()

	p.Wait("three seconds", `performance.now() - connectedAt > 3000`)
	p.Click("#toggle")
	p.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	link = s.url + "/recordings/" + waitFinished(t, s.url, "e2e/share").ID
	r := c.Open(t, link+"?t=2", noteCopies)
	r.Wait("its time", `document.querySelector("#player").readyState > 1 && document.querySelector("#player").currentTime === 2`)
	shareByKeyboard(r, "#share", link)
	r.Click("#share")
	waitShared(r, link)
	r.Do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent(" ")) // the switch stands before the button
	waitShared(r, link+"?t=2")
	r.Quiet()

	plain := c.Open(t, link, withoutClipboard)
	plain.Wait("the button", `document.querySelector("#share").checkVisibility()`)
	plain.Click("#share")
	waitShared(plain, link)
	plain.Do(chromedp.KeyEvent(kb.Enter))
	plain.Wait("copied", `copied.length === 1 && document.activeElement.innerText === "Copied"`)
	if got := eval[string](plain, `copied[0]`); got != link {
		t.Errorf("without a clipboard of the page's own it copied %q, want %q", got, link)
	}
	plain.Quiet()
}

// shareByKeyboard opens the dialog of a page, copies, and closes it.
func shareByKeyboard(p *tab, opener, link string) {
	p.T.Helper()
	tabTo(p, opener)
	p.Do(chromedp.KeyEvent(kb.Enter))
	waitShared(p, link)
	if got := eval[string](p, `document.activeElement.innerText`); got != "Copy link" {
		p.T.Errorf("the focus is on %q", got)
	}
	p.Do(chromedp.KeyEvent(kb.Enter))
	p.Wait("copied", `copied.length === 1 && document.activeElement.innerText === "Copied"`)
	if got := eval[string](p, `copied[0]`); got != link {
		p.T.Errorf("copied %q, want %q", got, link)
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280} {
			capture(p.T, p, "share-of-"+opener[1:], scheme, width)
			p.Accessible("share, " + scheme)
			if got := scanScreen(p); got != link {
				p.T.Errorf("%s, %d px: a scanner reads %q", scheme, width, got)
			}
		}
	}
	p.Do(chromedp.KeyEvent("m"))
	p.Do(chromedp.KeyEvent(kb.Escape))
	checkClosed(p, opener)
}

// shareByMouse opens the dialog of a page and closes it, beside it and by its button.
func shareByMouse(p *tab, opener, link string) {
	p.T.Helper()
	p.Click(opener)
	waitShared(p, link)
	p.Do(chromedp.MouseClickXY(4, 4))
	checkClosed(p, opener)
	p.Click(opener)
	waitShared(p, link)
	p.Click(`dialog:modal [aria-label="Close"]`)
	checkClosed(p, opener)
}

// tabTo goes on with the Tab key until an element has the focus.
func tabTo(p *tab, selector string) {
	p.T.Helper()
	for range 40 {
		p.Do(chromedp.KeyEvent(kb.Tab))
		if eval[bool](p, `document.activeElement.matches("`+selector+`")`) {
			return
		}
	}
	p.T.Fatalf("the Tab key does not lead to %s", selector)
}

// waitShared waits until the dialog shows an address and its code.
func waitShared(p *tab, address string) {
	p.T.Helper()
	p.Wait("the dialog with "+address, `document.querySelector("dialog:modal #share-field")?.value === "`+address+`"`)
	p.Wait("the code", `(() => {
		const code = document.querySelector("dialog:modal img");
		return code.complete && code.naturalWidth > 0 && code.width >= 192 && code.alt && code.src.endsWith(encodeURIComponent("`+address+`"));
	})()`)
}

// checkClosed fails the test unless the dialog is gone and what opened it has the focus.
func checkClosed(p *tab, opener string) {
	p.T.Helper()
	p.Wait("closed", `!document.querySelector("dialog[open]")`)
	if got := eval[string](p, `document.activeElement.outerHTML.slice(0, 80)`); !strings.Contains(got, `id="`+opener[1:]+`"`) {
		p.T.Errorf("closed, the focus is on %s", got)
	}
}

// scanScreen holds a scanner up to the page.
func scanScreen(p *tab) string {
	p.T.Helper()
	p.Wait("the dialog stands still", `document.querySelector("dialog").getAnimations().length === 0`)
	ctx, cancel := context.WithTimeout(p.Context, browsertest.Timeout)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.T.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		p.T.Fatal(err)
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		p.T.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return err.Error()
	}
	return read.GetText()
}

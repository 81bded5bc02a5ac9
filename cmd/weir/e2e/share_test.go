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

// TestShare: a link is shared with the keyboard alone, and its code is read from the screen.
func TestShare(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	p := c.Open(t, s.url+"/publish?name=e2e/share", noteCopies)
	p.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	p.Click("#toggle")
	p.Wait("live", `document.documentElement.dataset.state === "live"`)
	want := s.url + "/watch/e2e/share"

	tabTo(p, "#share-more")
	p.Do(chromedp.KeyEvent(kb.Enter))
	waitShared(p, want)
	if got := eval[string](p, `document.activeElement.innerText`); got != "Copy link" {
		t.Errorf("the focus is on %q", got)
	}
	p.Do(chromedp.KeyEvent(kb.Enter))
	p.Wait("copied", `copied.length === 1 && document.activeElement.innerText === "Copied"`)
	if got := eval[string](p, `copied[0]`); got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{320, 390, 1280} {
			capture(t, p, "share", scheme, width)
			p.Accessible("share, " + scheme)
			if got := scanScreen(p); got != want {
				t.Errorf("%s, %d px: a scanner reads %q", scheme, width, got)
			}
		}
	}
	p.Do(chromedp.KeyEvent("m"))
	p.Do(chromedp.KeyEvent(kb.Escape))
	checkClosed(p, "#share-more")
	if eval[bool](p, `document.querySelector("#mute").hasAttribute("data-off")`) {
		t.Error("a key was pressed in the dialog, and the page took it for its own")
	}

	p.Click("#share-more")
	waitShared(p, want)
	p.Do(chromedp.MouseClickXY(4, 4))
	checkClosed(p, "#share-more")
	p.Click("#share-more")
	waitShared(p, want)
	p.Click(`dialog [aria-label="Close"]`)
	checkClosed(p, "#share-more")
	p.Quiet()
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

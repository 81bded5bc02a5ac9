package browsertest

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Browser is one headless Chromium with a fake camera and microphone.
type Browser struct{ ctx context.Context }

// Start starts a browser that ends with the test.
func Start(t testing.TB) Browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("headless", "new"),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		// Tabs that are not in front must go on playing.
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium (apt-get install chromium): %v", err)
	}
	return Browser{ctx}
}

// Context is that of the browser, for pages that are opened without a Tab.
func (b Browser) Context() context.Context { return b.ctx }

// Tab is one page of a browser. Its console messages are collected.
type Tab struct {
	T       testing.TB
	Context context.Context
	Close   func()

	mu      sync.Mutex
	console []string
	asked   []page.DialogType
}

// watchConnections lets a test see a page's PeerConnections.
const watchConnections = `window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...args) {
    super(...args);
    window.connections.push(this);
    this.addEventListener("connectionstatechange", () => { if (this.connectionState === "connected") window.connectedAt = performance.now(); });
  }
};`

// Open opens url in a new tab. The scripts run ahead of the page's own.
func (b Browser) Open(t testing.TB, url string, scripts ...string) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	p := &Tab{T: t, Context: ctx, Close: cancel}
	// The first use of a context opens the tab, which lives as long as it does: no
	// timeout here.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	messages, dialogs := chromedp.Console(ctx), chromedp.Events(ctx, page.JavascriptDialogOpening)
	go p.collect(messages) // ends with the tab, as does this one
	go func() {
		for d, err := range dialogs {
			if err != nil {
				return
			}
			p.mu.Lock()
			p.asked = append(p.asked, d.Type)
			p.mu.Unlock()
			if _, err := chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}); err != nil {
				return
			}
		}
	}()
	for _, script := range append(scripts, watchConnections) {
		if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
			t.Fatal(err)
		}
	}
	p.Do(chromedp.Navigate(url))
	return p
}

// collect keeps what a user would see in red or yellow in the console.
func (p *Tab) collect(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
			p.mu.Lock()
			p.console = append(p.console, m.String()+" "+m.URL)
			p.mu.Unlock()
		}
	}
}

// Quiet fails the test if the console holds anything but what is expected.
func (p *Tab) Quiet(expected ...string) {
	p.T.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
lines:
	for _, line := range p.console {
		for _, e := range expected {
			if strings.Contains(line, e) {
				continue lines
			}
		}
		p.T.Errorf("the page's console says: %s", line)
	}
}

// Reload loads the page again, as a user does who says yes to what it asks, and reports
// whether it asked.
func (p *Tab) Reload() (asked bool) {
	p.T.Helper()
	p.mu.Lock()
	p.asked = nil
	p.mu.Unlock()
	p.Do(chromedp.Reload())
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.asked, page.DialogTypeBeforeunload)
}

// Timeout bounds one step in a page.
const Timeout = 20 * time.Second

// Do takes steps of chromedp's, one after the other.
func (p *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Context, Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.T.Fatalf("in the page: %v", err)
	}
}

// Eval returns the value of a JavaScript expression, awaited if it is a promise.
func Eval[T any](p *Tab, js string) T {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Context, Timeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.T.Fatalf("in the page: %s: %v", js, err)
	}
	return v
}

// Wait waits until a JavaScript expression is true.
func (p *Tab) Wait(what, js string) {
	p.T.Helper()
	deadline := time.Now().Add(Timeout)
	for !Eval[bool](p, "Boolean("+js+")") {
		if time.Now().After(deadline) {
			p.Screenshot("failed")
			p.T.Fatalf("%s: still not so after %v: %s; the page says: %s; state %s", what, Timeout, js,
				Eval[string](p, `document.querySelector("#status")?.innerText ?? ""`),
				Eval[string](p, `document.documentElement.dataset.state ?? ""`))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Click clicks as a user does.
func (p *Tab) Click(selector string) {
	p.T.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Screenshot keeps a picture if WEIR_SCREENSHOTS names a folder.
func (p *Tab) Screenshot(name string) {
	dir := os.Getenv("WEIR_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.Context, Timeout)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.T.Errorf("screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(fmt.Sprintf("%s/%s.png", dir, name), png, 0o644); err != nil {
		p.T.Error(err)
	}
}

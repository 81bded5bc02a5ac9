package e2e

import (
	"testing"

	"weir/cmd/weir/browsertest"
)

type (
	chrome = browsertest.Browser
	tab    = browsertest.Tab
)

// startChrome starts a browser that ends with the test.
func startChrome(t *testing.T) chrome {
	t.Helper()
	return browsertest.Start(t)
}

// eval returns the value of a JavaScript expression, awaited if it is a promise.
func eval[T any](p *tab, js string) T {
	p.T.Helper()
	return browsertest.Eval[T](p, js)
}

package browsertest

import (
	"os"
	"path/filepath"
	"runtime"
)

// axeFile is axe-core, which knows the rules of accessibility that a program can check.
const axeFile = "web/node_modules/axe-core/axe.min.js"

// findings runs axe when colours have arrived where they were going, and returns some lines
// for each element of each rule that it breaks.
const findings = `Promise.allSettled(document.getAnimations()
	.filter((a) => a.effect.getComputedTiming().endTime < Infinity).map((a) => a.finished))
	.then(() => axe.run()).then(({violations}) =>
	violations.flatMap(({id, nodes}) => nodes.map(({html, failureSummary}) => id + ": " + html.slice(0, 200) + "\n" + failureSummary)))`

// Accessible fails the test if axe finds something wrong with the page as it stands:
// names, roles, contrast, order.
func (p *Tab) Accessible(state string) {
	p.T.Helper()
	if !Eval[bool](p, `"axe" in window`) {
		Eval[bool](p, axe(p)+"; true")
	}
	for _, finding := range Eval[[]string](p, findings) {
		p.T.Errorf("%s: %s", state, finding)
	}
}

// axe is the text of axe-core.
func axe(p *Tab) string {
	p.T.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../..", axeFile))
	if err != nil {
		p.T.Fatalf("axe-core is not there: install what web/package.json names (task web does so, or npm ci --prefix web): %v", err)
	}
	return string(text)
}

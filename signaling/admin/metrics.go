package admin

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Metric is a figure of the server, with all its samples, in the terms of
// Prometheus.
type Metric struct {
	Name    string
	Help    string
	Counter bool // it only grows, and its name ends with _total; otherwise a gauge
	Samples []Sample
}

// Sample is a metric's value, for one set of labels.
type Sample struct {
	Labels []Label
	Value  float64
}

// Label tells a sample from the others of its metric.
type Label struct{ Name, Value string }

// metricsType is version 0.0.4 of Prometheus' text format, which every scraper
// reads.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// serveMetrics writes all metrics.
func (a *API) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	for _, m := range a.config.Metrics() {
		m.write(&page)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", metricsType)
	_, _ = page.WriteTo(w) // the client may have gone
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func (m *Metric) write(page *bytes.Buffer) {
	kind := "gauge"
	if m.Counter {
		kind = "counter"
	}
	fmt.Fprintf(page, "# HELP %s %s\n# TYPE %s %s\n", m.Name, helpEscapes.Replace(m.Help), m.Name, kind)
	for _, s := range m.Samples {
		page.WriteString(m.Name)
		for i, l := range s.Labels {
			separator := ","
			if i == 0 {
				separator = "{"
			}
			fmt.Fprintf(page, `%s%s="%s"`, separator, l.Name, labelEscapes.Replace(l.Value))
		}
		if len(s.Labels) > 0 {
			page.WriteByte('}')
		}
		page.WriteString(" " + strconv.FormatFloat(s.Value, 'g', -1, 64) + "\n")
	}
}

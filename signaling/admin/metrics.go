package admin

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"weir/signaling"
)

// Metric is a figure of the server, with all its series, in the terms of
// Prometheus.
type Metric struct {
	Name    string
	Help    string
	Counter bool // it only grows, and its name ends with _total; otherwise a gauge
	Series  []Series
}

// Series is a metric's value for one set of labels. All series of a metric have labels
// of the same names, in the same order, and no two have the same values.
type Series struct {
	Labels []Label
	Value  float64
}

// Label tells a series from the others of its metric.
type Label struct{ Name, Value string }

// metrics are the figures of the server.
func (a *API) metrics() []Metric {
	if a.config.Sessions == nil {
		return a.config.Metrics()
	}
	sessions := Metric{Name: "weir_sessions", Help: "Clients that are connected, by what they do and what their media come over."}
	for _, c := range a.config.Sessions.Counts() {
		sessions.Series = append(sessions.Series, Series{
			Labels: []Label{{Name: "role", Value: string(c.Role)}, {Name: "transport", Value: string(c.Transport)}},
			Value:  float64(c.Sessions),
		})
	}
	return append(a.config.Metrics(), sessions)
}

// maxScrapes is how many requests for the metrics are answered at a time.
const maxScrapes = 8

// metricsHandler serves what read returns in the exposition format that the client asks
// for, by default version 0.0.4 of Prometheus' text format, with the figures of the
// process and of the Go runtime. A figure that cannot be exposed is left out.
func metricsHandler(read func() []Metric) signaling.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collector(read),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	h := promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
	})
	return func(w http.ResponseWriter, r *http.Request, _ signaling.Intent) {
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	}
}

// collector reads the metrics for each request.
type collector func() []Metric

// Describe implements prometheus.Collector. Which metrics there are is only known when
// they are read, so it describes none.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (read collector) Collect(to chan<- prometheus.Metric) {
	for _, m := range read() {
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		for _, s := range m.Series {
			labels := make(prometheus.Labels, len(s.Labels))
			for _, l := range s.Labels {
				labels[l.Name] = l.Value
			}
			desc := prometheus.NewDesc(m.Name, m.Help, nil, labels)
			sample, err := prometheus.NewConstMetric(desc, kind, s.Value)
			if err != nil {
				sample = prometheus.NewInvalidMetric(desc, err)
			}
			to <- sample
		}
	}
}

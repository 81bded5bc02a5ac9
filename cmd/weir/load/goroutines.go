package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// countTime bounds the request for the number of goroutines: with many of them
// it takes a while, since the server stands still for it.
const countTime = requestTime

// count asks the server how many goroutines it has. Without an answer they are
// unknown, and the report says why: the rest of it is none the worse.
func (p *process) count(ctx context.Context, client *http.Client) {
	if p == nil || p.profiles == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	p.goroutines, p.countErr = goroutines(ctx, client, p.profiles)
}

// goroutines reads the first line of a profile in words: "goroutine profile:
// total 42".
func goroutines(ctx context.Context, client *http.Client, url string) (Figure, error) {
	url = strings.TrimSuffix(url, "/") + "/debug/pprof/goroutine?debug=1"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return unknown, fmt.Errorf("--profiles: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return unknown, fmt.Errorf("--profiles: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	var n int
	if err == nil {
		_, err = fmt.Sscanf(string(text), "goroutine profile: total %d", &n)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		return unknown, fmt.Errorf("--profiles: GET %s: %s, but no goroutine profile", url, response.Status)
	}
	return Figure(n), nil
}

package e2e

import (
	"flag"
	"net"
	"slices"
	"testing"
	"time"
)

// weather is how long TestWeather lasts. 10 minutes is a task of its own.
var weather = flag.Duration("weather", 6*time.Second, "how long TestWeather lasts; from a minute on in Firefox too, if that is there")

const (
	// weatherLoss is the share of datagrams that is lost, each way.
	weatherLoss = 0.05
	// freezeMost is how long a picture may stay on the screen. The publisher sends 20 in
	// a second; what is lost is there again within a few round trips.
	freezeMost = 2 * time.Second
	// freezeMostMoving is the same where an address changes. Until the browser checks
	// its connection again the server cannot know of that: Chromium does so every 2.5 s,
	// Firefox every 5 s or so, and a check may be lost.
	freezeMostMoving = 15 * time.Second
)

// TestWeather: publishers and viewers go on through loss, and changes of their
// addresses, in the sessions that they have.
func TestWeather(t *testing.T) {
	s := startServer(t)
	clients := startWeatherClients(t, s)
	for _, c := range clients {
		c.began = c.frames()
	}
	start, round := time.Now(), min(*weather, time.Minute)
	for time.Since(start) < *weather {
		for _, c := range clients {
			time.Sleep(round / time.Duration(len(clients)))
			moveAndGoOn(t, c, clients)
		}
	}
	for _, c := range clients {
		c.report(t)
	}
	for _, stream := range get[streamList](t, s.url+"/api/v1/streams").Streams {
		t.Logf("%s: given up by the server: %+v", stream.Name, stream.Tracks)
	}
	for _, c := range clients {
		c.check(t)
	}
}

// startWeatherClients starts a publisher in each browser that there is, and viewers
// of each.
func startWeatherClients(t *testing.T, s *testServer) []*weatherClient {
	t.Helper()
	browsers, host := []string{"chromium"}, "127.0.0.1"
	if hosts := ownAddrs(t); *weather >= time.Minute && firefox() != "" && len(hosts) > 0 {
		browsers, host = append(browsers, "firefox"), hosts[0] // Firefox has no use for loopback
	}
	var clients []*weatherClient
	for _, browser := range browsers {
		p := newWeatherClient(t, s, browser, host, "publish="+browser)
		clients = append(clients, p)
		p.wait(t, "is live", func() bool { return p.frames() > 20 })
	}
	for _, p := range slices.Clone(clients) {
		for _, browser := range browsers {
			if p.browser == "firefox" && browser == "firefox" {
				continue // two cores bear no more
			}
			v := newWeatherClient(t, s, browser, host, "watch="+p.browser)
			v.watches = p
			clients = append(clients, v)
			v.wait(t, "has a picture", func() bool { return v.frames() > 20 })
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return clients
}

// moveAndGoOn changes a client's address, and waits until all viewers who feel that
// have new pictures.
func moveAndGoOn(t *testing.T, moved *weatherClient, clients []*weatherClient) {
	t.Helper()
	before := map[*weatherClient]float64{}
	for _, c := range clients {
		if c.watches != nil && (c == moved || c.watches == moved) {
			before[c] = c.frames()
		}
	}
	moved.network.move(t)
	at := time.Now()
	for v, frames := range before {
		v.wait(t, "goes on after a change of address", func() bool { return v.frames() > frames+20 })
	}
	t.Logf("%s moved, and all went on within %v", moved.name, time.Since(at).Round(time.Millisecond))
}

// ownAddrs returns the IPv4 addresses of this machine under which others reach it.
func ownAddrs(t *testing.T) (hosts []string) {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts
}

package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/signaling"
)

// TestTitleParameter: ?title= and ?description= mean the same on every way in, with any
// script; one that cannot be taken is told, and neither ends another session nor claims
// a name.
func TestTitleParameter(t *testing.T) {
	s := startServer(t)
	client := peertest.NewAPI(t, peertest.Options{}).NewClient(t)
	client.Send(t, media.Opus)
	offer := client.Offer(t)
	post := func(path string) (int, string) { return offerTo(t, s.url+path, offer) }
	socket := func(path string) (int, string) {
		_, status, body := dialSocket(t, s.url+path)
		return status, body
	}
	texts := sfu.Texts{Title: "بثّ مباشر: 港から 👩‍👩‍👧‍👦 <b>", Description: "one\n二 & 100 %"}
	query := "?title=" + url.QueryEscape(texts.Title) + "&description=" + url.QueryEscape(strings.ReplaceAll(texts.Description, "\n", "\r\n"))
	for way, publish := range map[string]func(string) (int, string){"/whip/": post, "/ws/publish/": socket, "/compat/node-videostream/blob-in/": socket} {
		name := "titled/" + strings.Split(way, "/")[1]
		if status, body := publish(way + name + query); status >= 300 {
			t.Fatalf("%s: status %d, %s", way, status, body)
		}
		if i, err := s.app.hub.Stream(name); err != nil || i.Texts != texts || i.Name != name {
			t.Errorf("%s: the stream is %+v, %v", way, i, err)
		}
		id := s.publisherOf(t, name).ID
		for bad, want := range map[string]string{
			"title=" + url.QueryEscape(strings.Repeat("🎬", 121)): "121 characters, at most 120", "title=a%0ab": "U+000A",
			"description=%00": "U+0000", "title=100%": "%25",
		} {
			for _, path := range []string{way + name + "?replaces=" + id + "&" + bad, way + "new" + "?" + bad} {
				status, body := publish(path)
				var problem signaling.Problem
				if err := json.Unmarshal([]byte(body), &problem); err != nil || status != http.StatusBadRequest || !strings.Contains(problem.Detail, want) {
					t.Errorf("%s: status %d, %s", path, status, body)
				}
			}
		}
		if s.publisherOf(t, name).ID != id {
			t.Error("a session was ended by one that was refused")
		}
		if _, err := s.app.hub.Stream("new"); err == nil {
			t.Error("a name was claimed by what was refused")
		}
	}
}

package signaling

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestPreflight: a page may send the headers that it asks for, whatever player it is
// made with, and nothing else gets into the answer.
func TestPreflight(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("x-%d", i)
	}
	for _, tt := range []struct {
		name     string
		asked    []string
		allowed  []string
		withheld []string
	}{
		{"nothing", nil, []string{"authorization", "content-type", "if-match", "range"}, nil},
		{"of OvenLiveKit and Livepeer", []string{"content-type,x-ovenplayer, livepeer-access-key"},
			[]string{"x-ovenplayer", "livepeer-access-key", "authorization", "content-type"}, nil},
		{"in two lines", []string{"x-a", "x-b"}, []string{"x-a", "x-b"}, nil},
		{"empty parts", []string{",, x-a ,"}, []string{"x-a"}, []string{""}},
		{"no tokens", []string{"a b, x\"y, ü, x:y, *, ok"}, []string{"*", "ok"}, []string{"a b", "x\"y", "ü", "x:y"}},
		{"too long", []string{strings.Repeat("x", 65) + ", x-a"}, []string{"x-a"}, []string{strings.Repeat("x", 65)}},
		{"many", []string{strings.Join(many, ",")}, many[:32], many[32:]},
	} {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header["Access-Control-Request-Headers"] = tt.asked
		w := httptest.NewRecorder()
		cors(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })(w, r)
		var got []string
		for name := range strings.SplitSeq(w.Header().Get("Access-Control-Allow-Headers"), ",") {
			got = append(got, strings.ToLower(strings.TrimSpace(name)))
		}
		for _, name := range tt.allowed {
			if !slices.Contains(got, name) {
				t.Errorf("%s: %s is not allowed: %q", tt.name, name, got)
			}
		}
		for _, name := range tt.withheld {
			if slices.Contains(got, strings.ToLower(name)) {
				t.Errorf("%s: %q is in the answer: %q", tt.name, name, got)
			}
		}
		if sorted := slices.Sorted(slices.Values(got)); len(slices.Compact(sorted)) != len(got) {
			t.Errorf("%s: a name is there twice: %q", tt.name, got)
		}
		if !strings.Contains(w.Header().Get("Vary"), "Access-Control-Request-Headers") {
			t.Errorf("%s: Vary is %q", tt.name, w.Header().Get("Vary"))
		}
	}
}

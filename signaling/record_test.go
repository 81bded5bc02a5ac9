package signaling

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWantsRecord(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  bool
		bad   bool
	}{
		{query: "", want: true},
		{query: "replaces=x", want: true},
		{query: "record=1", want: true},
		{query: "record=true", want: true},
		{query: "record=yes", want: true},
		{query: "record=on", want: true},
		{query: "record=TRUE", want: true},
		{query: "record=0"},
		{query: "record=false"},
		{query: "record=no"},
		{query: "record=off"},
		{query: "record=False"},
		{query: "a=b&record=No"},
		{query: "record=0&record=off"},
		{query: "token=%zz&record=0"}, // the other one's fault
		{query: "record=0&token=%zz"},
		{query: "token=a;b", want: true},
		{query: "record=1&record=0", bad: true},
		{query: "record=1&record=0;", bad: true}, // it may have meant no
		{query: "record=1&record=%zz", bad: true},
		{query: "record=", bad: true},
		{query: "record", bad: true},
		{query: "record=t", bad: true},
		{query: "record=f", bad: true},
		{query: "record=2", bad: true},
		{query: "record=00", bad: true},
		{query: "record=-1", bad: true},
		{query: "record=null", bad: true},
		{query: "record=false%20", bad: true},
		{query: "record=fal%zzse", bad: true},
		{query: "record=0;x=1", bad: true},
		{query: "record=" + strings.Repeat("0", 5000), bad: true},
	} {
		got, err := wantsRecord(httptest.NewRequest(http.MethodPost, "http://example.org/whip/a?"+tt.query, nil))
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("?%.60s: %v, %v", tt.query, got, err)
		}
		if err == nil {
			continue
		}
		p, ok := errors.AsType[*Problem](err)
		if !ok || p.Status != http.StatusBadRequest || len(p.Detail) > 500 {
			t.Errorf("?%.60s: %v", tt.query, err)
			continue
		}
		for _, word := range []string{"0", "false", "no", "off", "1", "true", "yes", "on", "absent"} {
			if !strings.Contains(p.Detail, word) {
				t.Errorf("?%.60s: the detail %q does not name %s", tt.query, p.Detail, word)
			}
		}
	}
}

func TestWantsStay(t *testing.T) {
	for query, want := range map[string]bool{"": false, "record=1": false, "stays=1": true, "stays=on&record=0": true, "stays=no": false} {
		if got, err := wantsStay(httptest.NewRequest(http.MethodPost, "http://example.org/whip/a?"+query, nil)); err != nil || got != want {
			t.Errorf("?%s: %v, %v", query, got, err)
		}
	}
	for _, query := range []string{"stays=maybe", "stays=1&stays=0", "stays="} {
		if _, err := wantsStay(httptest.NewRequest(http.MethodPost, "http://example.org/whip/a?"+query, nil)); err == nil {
			t.Errorf("?%s is taken", query)
		}
	}
}

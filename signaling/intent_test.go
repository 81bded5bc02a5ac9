package signaling

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTextOf: a title that cannot be read is told, and not left out.
func TestTextOf(t *testing.T) {
	for query, want := range map[string]string{
		"":                             "",
		"title=":                       "",
		"title=a%20b+c":                "a b c",
		"title=%D8%A8%D8%AB":           "بث",
		"title=بث":                     "بث", // as some clients send it
		"title=one&title=two":          "one",
		"record=%zz&title=a":           "a",
		"title=100%25":                 "100%",
		"title=100%":                   "bad",
		"title=a;b":                    "bad",
		"title=%zz&title=a":            "bad",
		"a=b&title=a%26b&description=": "a&b",
	} {
		got, err := textOf(httptest.NewRequest(http.MethodPost, "http://example.org/whip/a?"+query, nil), "title")
		if p, _ := errors.AsType[*Problem](err); want == "bad" && (p == nil || p.Status != http.StatusBadRequest || !strings.Contains(p.Detail, "%25")) {
			t.Errorf("?%s: %q, %v", query, got, err)
		}
		if want != "bad" && (err != nil || got != want) {
			t.Errorf("?%s: %q, %v", query, got, err)
		}
	}
}

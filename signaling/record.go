package signaling

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The values of ?record=, in any case of letters.
var (
	recordYes = []string{"1", "true", "yes", "on"}
	recordNo  = []string{"0", "false", "no", "off"}
)

// wantsRecord reads ?record=, with which a publisher refuses to be recorded. It means
// the same for every publisher: without it, and with a word for yes, a stream is
// recorded as the server is set up to. The error is a Problem: no stream may go live
// with a value that was not understood, which may have meant no.
func wantsRecord(r *http.Request) (bool, error) {
	given, ok := parameters(r.URL.RawQuery, "record")
	if !ok {
		return false, badRecord("?" + r.URL.RawQuery)
	}
	yes, no := false, false
	for _, value := range given {
		word := strings.ToLower(value)
		switch {
		case slices.Contains(recordYes, word):
			yes = true
		case slices.Contains(recordNo, word):
			no = true
		default:
			return false, badRecord(`"` + value + `"`)
		}
	}
	if yes && no {
		return false, badRecord("both yes and no")
	}
	return !no, nil
}

// parameters returns the values of a parameter in a query. It returns false if one of
// them cannot be read. Faults of other parameters are not looked at.
func parameters(query, name string) (values []string, ok bool) {
	for pair := range strings.SplitSeq(query, "&") {
		parsed, err := url.ParseQuery(pair)
		if err != nil && strings.Contains(pair, name) {
			return nil, false
		}
		values = append(values, parsed[name]...)
	}
	return values, true
}

func badRecord(given string) error {
	return &Problem{Status: http.StatusBadRequest, Title: "Bad parameter",
		Detail: "record is " + clip(given) + ". It may be " + strings.Join(recordNo, ", ") + " (not recorded), or " +
			strings.Join(recordYes, ", ") + " or absent (recorded as the server is set up to)."}
}

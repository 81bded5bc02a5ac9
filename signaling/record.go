package signaling

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The values of parameters that ask for yes or no, in any case of letters.
var (
	wordsYes = []string{"1", "true", "yes", "on"}
	wordsNo  = []string{"0", "false", "no", "off"}
)

// wantsRecord reads ?record=, with which a publisher refuses to be recorded. It means
// the same for every publisher: without it, and with a word for yes, a stream is
// recorded as the server is set up to. The error is a Problem: no stream may go live
// with a value that was not understood, which may have meant no.
func wantsRecord(r *http.Request) (bool, error) {
	return wants(r, "record", true, strings.Join(wordsNo, ", ")+" (not recorded), or "+
		strings.Join(wordsYes, ", ")+" or absent (recorded as the server is set up to)")
}

// wantsStay reads ?stays=, with which a publisher asks for its stream to be kept for a
// while also when it closes its connection. The error is a Problem.
func wantsStay(r *http.Request) (bool, error) {
	return wants(r, "stays", false, strings.Join(wordsYes, ", ")+" (its stream is kept for a while when the connection is closed), or "+
		strings.Join(wordsNo, ", ")+" or absent (it ends)")
}

// wants reads a parameter that asks for yes or no. meaning tells what it may be.
func wants(r *http.Request, name string, absent bool, meaning string) (bool, error) {
	bad := func(given string) error {
		return &Problem{Status: http.StatusBadRequest, Title: "Bad parameter", Detail: name + " is " + clip(given) + ". It may be " + meaning + "."}
	}
	given, ok := parameters(r.URL.RawQuery, name)
	if !ok {
		return false, bad("?" + r.URL.RawQuery)
	}
	yes, no := false, false
	for _, value := range given {
		word := strings.ToLower(value)
		switch {
		case slices.Contains(wordsYes, word):
			yes = true
		case slices.Contains(wordsNo, word):
			no = true
		default:
			return false, bad(`"` + value + `"`)
		}
	}
	if yes && no {
		return false, bad("both yes and no")
	}
	return yes || absent && !no, nil
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

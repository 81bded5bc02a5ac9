package place

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// Default is where recordings lie unless somebody says otherwise.
const Default = "{name}/{start}-{id}"

// placeholder is one of those that a path template may have.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// literal is what a template may have between its placeholders: nothing that a
// file system somewhere takes for something else.
var literal = regexp.MustCompile(`^[A-Za-z0-9._=/-]*$`)

// Check checks a template of paths, with these placeholders:
//
//	{name}    the whole name of the stream, with its slashes
//	{tenant}  its first segment, if it has two or more
//	{user}    its second segment, if it has three or more
//	{stream}  the rest of it
//	{start}   when it starts, UTC: 20060102T150405Z
//	{date}    the day on which it starts, UTC: 2006-01-02
//	{id}      the recording's id; needed
//
// A segment that stays empty is left out.
func Check(template string) error {
	for _, p := range placeholder.FindAllString(template, -1) {
		switch p {
		case "{name}", "{tenant}", "{user}", "{stream}", "{start}", "{date}", "{id}":
		default:
			return fmt.Errorf("the path has the placeholder %s; there are {name}, {tenant}, {user}, {stream}, {start}, {date} and {id}", p)
		}
	}
	rest := placeholder.ReplaceAllString(template, "")
	switch {
	case !strings.Contains(path.Base(template), "{id}"):
		return errors.New("the last segment of the path must have {id}, or recordings would overwrite one another")
	case !literal.MatchString(rest), strings.HasPrefix(template, "/"), strings.Contains(template, ".."), strings.HasPrefix(template, "."), strings.Contains(template, "/."):
		return fmt.Errorf("the path is %q; it is relative, has letters, digits and ._=/- beside its placeholders, and no segment begins with a dot", template)
	}
	return nil
}

// Of returns the path of a recording, without suffix. Names of streams
// are safe as paths (sfu.ValidName); a colon in the time would not be on all
// systems.
func Of(template, name string, start time.Time, id string) string {
	segments := strings.Split(name, "/")
	var tenant, user string
	if len(segments) > 1 {
		tenant, segments = segments[0], segments[1:]
	}
	if len(segments) > 1 {
		user, segments = segments[0], segments[1:]
	}
	p := strings.NewReplacer(
		"{name}", name, "{tenant}", tenant, "{user}", user, "{stream}", strings.Join(segments, "/"),
		"{start}", start.UTC().Format("20060102T150405Z"), "{date}", start.UTC().Format("2006-01-02"), "{id}", id,
	).Replace(template)
	var kept []string
	for segment := range strings.SplitSeq(p, "/") {
		// A segment that begins with a dot is hidden, or not below the folder.
		if segment = strings.TrimLeft(segment, "."); segment != "" {
			kept = append(kept, segment)
		}
	}
	return strings.Join(kept, "/")
}

package recorder

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Query selects recordings. The zero value selects all.
type Query struct {
	Stream   string // of this stream only
	Prefix   string // of the streams below this name only: "acme" for "acme/alice/desk"
	StreamID string // of this broadcast only
	State    State  // that stand there only
	// Search is a part of their title or of their stream's name, in any case.
	Search   string
	Verdicts []string // with one of these qualities only; none is known of those that go on
	// From and Until bound when they started. Zero: not at all.
	From, Until time.Time
	After       string // those that come after this id in the list
	Limit       int    // at most that many; 0: all
}

// where returns q as conditions of SQL, without After and Limit.
func (q Query) where() (conditions []string, args []any) {
	add := func(condition string, values ...any) {
		conditions, args = append(conditions, condition), append(args, values...)
	}
	if q.Stream != "" {
		add("stream = ?", q.Stream)
	}
	if q.Prefix != "" {
		// Everything that begins with the name and a slash: '0' follows it.
		add("stream >= ? AND stream < ?", q.Prefix+"/", q.Prefix+"0")
	}
	if q.StreamID != "" {
		add("stream_id = ?", q.StreamID)
	}
	if q.State != "" {
		add("state = ?", string(q.State))
	}
	if q.Search != "" {
		text := fold(q.Search)
		add("(instr(fold(stream), ?) > 0 OR instr(fold(CAST(sidecar AS TEXT) ->> '$.title'), ?) > 0)", text, text)
	}
	if len(q.Verdicts) > 0 {
		var values []any
		for _, v := range q.Verdicts {
			values = append(values, v)
		}
		add("CAST(sidecar AS TEXT) ->> '$.quality.verdict' IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
	}
	if !q.From.IsZero() {
		add("started_at >= ?", q.From.UnixNano())
	}
	if !q.Until.IsZero() {
		add("started_at < ?", q.Until.UnixNano())
	}
	return conditions, args
}

// finds reports whether r has q.Search in its title or name.
func (q Query) finds(r *Recording) bool {
	text := fold(q.Search)
	return strings.Contains(fold(r.Stream), text) || strings.Contains(fold(r.Title), text)
}

// fold returns a text in the case in which texts are compared, in the index and among what
// goes on.
func fold(text string) string { return strings.ToLower(text) }

// selects reports whether q selects r, without After and Limit.
func (q Query) selects(r *Recording) bool {
	return (q.Stream == "" || r.Stream == q.Stream) &&
		(q.Prefix == "" || strings.HasPrefix(r.Stream, q.Prefix+"/")) &&
		(q.StreamID == "" || r.StreamID == q.StreamID) &&
		(q.State == "" || r.State == q.State) && q.finds(r) &&
		(len(q.Verdicts) == 0 || r.Quality != nil && slices.Contains(q.Verdicts, r.Quality.Verdict)) &&
		(q.From.IsZero() || !r.StartedAt.Before(q.From)) &&
		(q.Until.IsZero() || r.StartedAt.Before(q.Until))
}

// newestFirst is the order of lists.
func newestFirst(a, b *Recording) int {
	return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(a.ID, b.ID))
}

// Recordings returns the recordings that q selects, newest first, and the id to
// put into Query.After for those that follow, if there are more. The error wraps
// ErrNotFound if there is no recording with the id in After.
func (r *Recorder) Recordings(q Query) (list []Recording, next string, err error) {
	var after *Recording
	if q.After != "" {
		one, err := r.Recording(q.After)
		if err != nil {
			return nil, "", err
		}
		after = &one
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 1 << 30
	}
	c := &r.catalogue
	c.mu.RLock()
	found, err := c.index.list(q, after, limit+1+len(c.overlay))
	var open []*Recording
	for _, rec := range c.overlay {
		if q.selects(rec) && (after == nil || newestFirst(after, rec) < 0) {
			open = append(open, rec)
		}
	}
	found = slices.DeleteFunc(found, func(rec *Recording) bool { return c.overlay[rec.ID] != nil })
	c.mu.RUnlock()
	if err != nil {
		return nil, "", err
	}
	found = append(found, open...)
	slices.SortFunc(found, newestFirst)
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].ID
	}
	list = make([]Recording, len(found))
	for i, rec := range found {
		list[i] = *rec // nothing of one in the catalogue changes
	}
	return list, next, nil
}

package admin

import (
	"slices"
	"testing"

	"weir/sfu"
)

// TestUpdatesAreOneEvent: a publisher that changes its title all the time does not push
// what else has happened out of the events that are kept.
func TestUpdatesAreOneEvent(t *testing.T) {
	e := NewEvents()
	from := e.newest()
	happens := func(kind sfu.EventKind, id, title string) {
		e.PublishStream(sfu.Event{Kind: kind, Stream: sfu.StreamInfo{ID: id, Name: id, Texts: sfu.Texts{Title: title}}})
	}
	happens(sfu.StreamClaimed, "a", "")
	happens(sfu.StreamUpdated, "b", "other")
	for range 2 * keptEvents {
		happens(sfu.StreamUpdated, "a", "again")
	}
	happens(sfu.ViewerJoined, "a", "")
	happens(sfu.StreamUpdated, "a", "newest")
	kinds := func(id uint64) (kinds []string, missed uint64) {
		list, missed, _, _ := e.after(id)
		for _, k := range list {
			kinds = append(kinds, k.kind)
		}
		return kinds, missed
	}
	if got, missed := kinds(from); !slices.Equal(got, []string{"stream.claimed", "stream.updated", "stream.updated"}) || missed != 0 {
		t.Errorf("kept: %v, %d missed", got, missed)
	}
	if got, missed := kinds(e.newest() - 3); !slices.Equal(got, []string{"stream.updated"}) || missed != 0 {
		t.Errorf("to who has seen some of them: %v, %d missed", got, missed)
	}
	for range keptEvents {
		happens(sfu.StreamClaimed, "c", "")
	}
	if got, missed := kinds(e.newest() - keptEvents - 1); len(got) != keptEvents || missed != 1 {
		t.Errorf("%d are kept, %d missed", len(got), missed)
	}
	if got, missed := kinds(e.newest() - keptEvents); len(got) != keptEvents || missed != 0 {
		t.Errorf("%d are kept, %d missed", len(got), missed)
	}
}

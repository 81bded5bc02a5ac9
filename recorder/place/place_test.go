package place_test

import (
	"testing"
	"time"

	"weir/recorder/place"
)

func TestPaths(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, tt := range []struct{ template, name, want string }{
		{place.Default, "acme/alice/desk", "acme/alice/desk/20260102T030405Z-id"},
		{"{tenant}/{user}/{stream}/{start}-{id}", "acme/alice/desk", "acme/alice/desk/20260102T030405Z-id"},
		{"{tenant}/{user}/{stream}/{start}-{id}", "acme/alice/desk/2", "acme/alice/desk/2/20260102T030405Z-id"},
		{"{tenant}/{user}/{stream}/{start}-{id}", "acme/desk", "acme/desk/20260102T030405Z-id"},
		{"{tenant}/{user}/{stream}/{start}-{id}", "desk", "desk/20260102T030405Z-id"},
		{"{date}/{id}", "desk", "2026-01-02/id"},
	} {
		if err := place.Check(tt.template); err != nil {
			t.Error(err)
		}
		if got := place.Of(tt.template, tt.name, at, "id"); got != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.template, tt.name, got, tt.want)
		}
	}
	for _, bad := range []string{"", "{name}", "{id}/x", "/{id}", "../{id}", "{name}/../{id}", "{who}-{id}", ".x/{id}", "a/.{id}", "a b-{id}", "a:{id}"} {
		if err := place.Check(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

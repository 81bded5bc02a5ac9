package sdp

import "testing"

func TestNewCredentials(t *testing.T) {
	one, two := NewCredentials(), NewCredentials()
	if err := one.check(); err != nil || one.Ufrag == two.Ufrag || one.Pwd == two.Pwd {
		t.Errorf("credentials %v and %v: %v", one, two, err)
	}
}

package api_test

import (
	"testing"

	"kith/internal/api"
	"kith/internal/node"
)

// Who is called “you” must not pass for whoever reads.
func TestNobodyElseIsYou(t *testing.T) {
	for name, want := range map[string]string{"you": "“you”", "You": "“You”", "уοu": "“уοu”", "Young": "Young", "": "", "Ann": "Ann"} {
		if got := api.PersonOf(node.Person{Name: name}).Name; got != want {
			t.Errorf("%q is shown as %q", name, got)
		}
	}
	if got := api.PersonOf(node.Person{Name: "You", Me: true}).Name; got != "You" {
		t.Errorf("to themselves as %q", got)
	}
}

package node_test

import "testing"

// Who hangs up each time, because its disk is full or its program broken, is dialled
// after longer and longer pauses, though dialling works each time.
func TestDialsMoreRarelyWhoHangsUp(t *testing.T) {
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	for range 3 {
		was := ann.logged("connected")
		ben.HangUp()
		ann.until("a session again", func() bool { return ann.logged("connected") > was && ann.connected(g, ben) && ben.connected(g, ann) })
	}
	if wait := ann.Pause(ben.Status().Device); wait < 1000 {
		t.Errorf("the third pause is %d ms", wait)
	}
}

package api_test

import (
	"slices"
	"strings"
	"testing"

	"kith/internal/api"
	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

func voters(voted string, people ...node.Person) (list []node.Voter) {
	for i, p := range people {
		list = append(list, node.Voter{Person: p, Device: wire.DeviceID{byte(i + 1)}, Voted: strings.Contains(voted, p.Name)})
	}
	return list
}

func gone(list []node.Voter, people ...node.Person) []node.Voter {
	for i, v := range list {
		list[i].Gone = v.Gone || slices.Contains(people, v.Person)
	}
	return list
}

func removed(list []node.Voter, people ...node.Person) []node.Voter {
	for i := range gone(list, people...) {
		list[i].Left = list[i].Gone
	}
	return list
}

// TestWithstands reads aloud what a group of each size bears, and for whom it waits.
func TestWithstands(t *testing.T) {
	here := node.Person{ID: wire.PersonID{7}, Name: "Eve", Connected: true}
	cleo, dan := node.Person{ID: wire.PersonID{5}, Name: "Cleo"}, node.Person{ID: wire.PersonID{6}, Name: "Dan"}
	const tooFew = "Too few of those who vote are still here with the device they vote by. As long as that is so nothing more becomes final. Nothing is lost: the group goes on, and where two changes exclude each other the more senior admin's counts; what is open can be undone. "
	for _, c := range []struct {
		name    string
		s       node.Settlement
		waiting string
		says    []string // beginnings
	}{
		{"one", node.Settlement{Kind: node.ChatGroup, Quorum: 1, Voters: voters("", me), Voting: 1}, "Waits for you; that happens by itself within two minutes.", []string{"You alone decide ", "A witness helps: "}},
		{"another", node.Settlement{Kind: node.ChatGroup, Quorum: 1, Voters: voters("", ann)}, "", []string{"Ann alone decides ", "A witness helps: "}},
		{"two", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: voters("Ida", me, ben), Voting: 2}, "Waits for Ben; that happens by itself within two minutes once they are online.", []string{"Two vote, and both are needed. So neither removal of one of the two becomes final ", "A witness helps: "}},
		{"three", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: voters("Ann", ann, ben, cleo), Voting: 1}, "Waits for Ben or Cleo; that happens by itself within two minutes once they are online.", []string{"Three vote, and two of them are enough. None of them may lie: ", "A fourth voter changes that. "}},
		{"four", node.Settlement{Kind: node.ChatGroup, Quorum: 3, Liars: 1, Voters: voters("Ann", ann, ben, cleo, dan), Voting: 1}, "Waits for two of Ben, Cleo and Dan; that happens by itself within two minutes once they are online.", []string{"Four vote, and three of them are enough. One of them may lie, or be away for ever, without harm."}},
		{"nobody spoke yet", node.Settlement{Kind: node.ChatGroup, Quorum: 3, Liars: 1, Voters: voters("", ann, ben, cleo, dan), Voting: 1}, "Waits for Ann, Ben, Cleo and Dan; that happens by itself within two minutes once they are online.", []string{"Four vote, "}},
		{"enough are here", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: voters("Ann", ann, ben, here), Voting: 1}, "Waits for Ben or Eve; that happens by itself within two minutes.", []string{"Three vote, ", "A fourth voter "}},
		{"nobody settled for long", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: voters("Ann", ann, here), Voting: 8}, "Waits for Eve; that happens by itself, within an hour or two.", []string{"Two vote, ", "A witness helps: "}},
		{"nor for a while", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: voters("Ann", ann, ben), Voting: 13, Since: 10}, "Waits for Ben; that happens by itself, within an hour or two once they are online.", []string{"Two vote, ", "A witness helps: "}},
		{"it did of late", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: voters("Ann", ann, ben), Voting: 12, Since: 10}, "Waits for Ben; that happens by itself within two minutes once they are online.", []string{"Two vote, ", "A witness helps: "}},
		{"a direct chat", node.Settlement{Kind: node.ChatDirect, Quorum: 1, Voters: voters("", ann)}, "", nil},
		{"gone for good", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: gone(voters("Ann", ann, ben, cleo), ben, cleo), Voting: 1}, "", []string{"Three vote, and two of them are enough.", tooFew + "Only a new group would settle again."}},
		{"one of two removed", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: removed(voters("Ann", ann, ben), ben), Voting: 1}, "", []string{"Two vote, and all of them are needed.", tooFew + "Adding Ben again, with the device Ben had, lets it go on."}},
		{"one removed, one taken out", node.Settlement{Kind: node.ChatGroup, Quorum: 3, Liars: 1, Voters: gone(removed(voters("Ann", ann, ben, cleo, dan), ben), dan), Voting: 1}, "", []string{"Four vote, and three of them are enough.", tooFew + "Adding Ben again, "}},
		{"either of two would do", node.Settlement{Kind: node.ChatGroup, Quorum: 3, Liars: 1, Voters: removed(voters("Ann", ann, ben, cleo, dan), ben, dan), Voting: 1}, "", []string{"Four vote, ", tooFew + "Adding Ben or Dan again, with the device they had, "}},
		{"both of two must", node.Settlement{Kind: node.ChatGroup, Quorum: 3, Liars: 1, Voters: removed(voters("Ann", ann, ben, dan), ben, dan), Voting: 1}, "", []string{"Three vote, and all of them ", tooFew + "Adding Ben and Dan again, with the devices they had, "}},
		{"one of four is gone", node.Settlement{Kind: node.ChatGroup, Quorum: 3, Liars: 1, Voters: gone(voters("Ann", ann, ben, cleo, dan), ben), Voting: 1}, "Waits for Cleo and Dan; that happens by itself within two minutes once they are online.", []string{"Four vote, and three of them are enough. One of them is gone; of the others none may lie, or be away for ever, without harm."}},
		{"who voted is gone", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: gone(voters("Ben", ann, ben), ben), Voting: 1}, "Waits for Ann. Some of those who voted are gone: if this vote settles nothing, nothing more becomes final.", []string{"Two vote, ", "A witness "}},
		{"a new device", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: []node.Voter{{Person: ann, Device: wire.DeviceID{1}, Voted: true}, {Person: cleo, Device: wire.DeviceID{2}}, {Person: ben, Heir: true}}, Voting: 1}, "Waits for Cleo; that happens by itself within two minutes once they are online.", []string{"Three vote, ", "A fourth ", "Ben votes with a new device once the newest changes are settled."}},
		{"one is gone", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: gone(voters("Ann", ann, ben, cleo), ben), Voting: 1}, "Waits for Cleo; that happens by itself within two minutes once they are online.", []string{"Three vote, ", "A fourth voter "}},
		{"without a device", node.Settlement{Kind: node.ChatGroup, Quorum: 2, Voters: []node.Voter{{Person: ann}, {Person: ben, Device: wire.DeviceID{1}}}, Muted: true}, "", []string{"Two vote, ", "A witness ", "Ann has no device in this group now ", "This device never votes: "}},
	} {
		got := api.SettlementOf(c.s)
		if got.Waiting != c.waiting || !slices.EqualFunc(got.Withstands, c.says, strings.HasPrefix) {
			t.Errorf("%s: waits %q, withstands %q", c.name, got.Waiting, got.Withstands)
		}
	}
}

// TestIncidents reads aloud what may happen to a group. None of it says how Kith
// works inside.
func TestIncidents(t *testing.T) {
	device, block := wire.DeviceID{0xab, 0xcd, 0xef, 0x12}, wire.BlockHash{7}
	for _, c := range []struct {
		in   node.Incident
		want string
	}{
		{node.Incident{Kind: node.IncidentSettled, Height: 12, By: []node.Person{me, ann, ben}}, "You, Ann and Ben voted: changes up to number 12 can no longer be undone."},
		{node.Incident{Kind: node.IncidentSettled, Height: 3}, "Changes up to number 3 can no longer be undone."},
		{node.Incident{Kind: node.IncidentTwice, Stopped: true}, "Those who vote made two things final that exclude each other, so more of them lied than this group bears. Nothing more becomes final until its owner says which one counts."},
		{node.Incident{Kind: node.IncidentTwice}, "Those who vote made two things final that exclude each other. Leaving out whoever lied, one of them counts; the liars' devices are taken out."},
		{node.Incident{Kind: node.IncidentElsewhere}, "Somebody made another course of this group final, by votes that exclude what is final here. What is final here stays. Whoever sees the other course has to leave the group and be invited again."},
		{node.Incident{Kind: node.IncidentVoted, Person: ben, Device: device}, "A device of Ben (abcdef12) voted for two things at once. No honest program does that: it was altered, or its key was copied. It is being taken out; Ben stays a member."},
		{node.Incident{Kind: node.IncidentSigned, What: chain.SlashBlocks, Person: me, Device: device, Block: block}, "A device of yours (abcdef12) made two different changes in the same place. No honest program does that: it was altered, or its key was copied. It was taken out; you stay a member."},
		{node.Incident{Kind: node.IncidentSigned, What: chain.SlashEntries, Person: ben, Device: device}, "A device of Ben (abcdef12) wrote two different messages in the same place. No honest program does that: it was altered, or its key was copied. It is being taken out; Ben stays a member."},
		{node.Incident{Kind: node.IncidentStuck, Person: ben, Device: device, Author: ann}, "A device of Ben (abcdef12) cannot follow the keys of a change by Ann."},
		{node.Incident{Kind: node.IncidentStuck, Person: me, Device: device, Author: ann, Own: true}, "This device cannot follow the keys of a change by Ann. It comes back by itself, or an admin starts the keys anew."},
		{node.Incident{Kind: node.IncidentRestarted, Person: ann}, "Ann started the keys of the group anew."},
		{node.Incident{Kind: node.IncidentParked, Person: ben, Device: device, Author: ann}, "Ann set a device of Ben (abcdef12) aside, which was not here for long. It comes back by itself."},
		{node.Incident{Kind: node.IncidentParked, Person: me, Device: device, Author: ann, Own: true}, "Ann set this device aside, because it was not here for long. It comes back by itself."},
		{node.Incident{Kind: node.IncidentRejoined, Person: ben, Device: device}, "Ben rejoined."},
		{node.Incident{Kind: node.IncidentSplit, Split: &node.Split{Undone: 3, Again: 1}}, "The group was split and is whole again; 3 changes were undone, 1 was done again."},
		{node.Incident{Kind: node.IncidentStill}, "Too few of those who vote are left: from here on nothing more becomes final. See who votes for what helps."},
		{node.Incident{Kind: node.IncidentSplit, Split: &node.Split{Undone: 1}}, "The group was split and is whole again; 1 change was undone."},
	} {
		got := api.IncidentOf(c.in)
		if got.Sentence != c.want {
			t.Errorf("%d: %s\nwant %s", c.in.Kind, got.Sentence, c.want)
		}
		if got.Kind.String() == "" || v1.IncidentKind_name[int32(got.Kind)] == "" || got.About == "" {
			t.Errorf("%d is %v about %q", c.in.Kind, got.Kind, got.About)
		}
		for _, word := range []string{"block", "chain", "epoch", "settle", "fork", "slash", "MLS"} {
			if strings.Contains(strings.ToLower(got.Sentence), strings.ToLower(word)) {
				t.Errorf("%q says %s", got.Sentence, word)
			}
		}
	}
}

// TestExhibits: what proves an incident comes whole, with what it says.
func TestExhibits(t *testing.T) {
	v := &chain.Vote{Round: 3, Block: wire.BlockHash{0xaa, 0xbb, 0xcc, 0xdd}}
	h := &chain.Header{Height: 4}
	in := api.IncidentOf(node.Incident{Kind: node.IncidentVoted, Person: ben, Device: wire.DeviceID{1}, Block: wire.BlockHash{9}, Proof: []node.Exhibit{
		{Hash: v.Hash(), Bytes: v.Marshal(), Vote: v, Height: 7},
		{Hash: wire.Digest{2}, Bytes: []byte{1, 2}, Header: h, Height: 4, Changes: []node.Change{removing(ann)}},
		{Hash: wire.Digest{0x12, 0x34, 0x56, 0x78}, Bytes: []byte{3}, Height: 5},
	}})
	want := []*v1.Exhibit{
		{Kind: "vote", Sentence: "In round 3 for block 7, aabbccdd."},
		{Kind: "block", Hex: "0102", Sentence: "Block 4. Ben removed Ann."},
		{Kind: "votes", Hex: "03", Sentence: "The votes that settle block 5, 12345678."},
	}
	for i, x := range in.Proof {
		if x.Kind != want[i].Kind || x.Sentence != want[i].Sentence || want[i].Hex != "" && x.Hex != want[i].Hex || len(x.Hash) != 64 {
			t.Errorf("exhibit %d is %v", i, x)
		}
	}
	if len(in.Proof) != 3 || len(in.Proof[0].Hex) != 2*chain.VoteSize || in.Block == "" || in.Device == "" || in.Person.GetName() != "Ben" {
		t.Errorf("%v", in)
	}
}

package group_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"kith/internal/group"
)

// TestFrameBytes spells payloads by hand, as the tables of docs/spec/sync.md do.
func TestFrameBytes(t *testing.T) {
	d := strings.Repeat("11", 32) // a device, a digest or a block's hash
	e := strings.Repeat("22", 32)
	ref := func(device string) string { return device + num(3) + strings.Repeat("33", 16) }
	for name, spelt := range map[string]string{
		"digest":                    "01" + d,
		"have of nothing":           "02" + "02 00 00" + "01 00" + "00" + "00",
		"have with one tip, an ack": "02" + "22 20" + d + "00" + "01 00" + "28" + d + "0000000000000007" + "00",
		"no blocks":                 "03" + "00" + "00",
		"two blocks, more follow":   "03" + "09" + "01 aa 01 bb 00" + "01 cc 00 00" + "01",
		"an entry, pushed":          "04" + "05" + "01 aa 02 bbbb" + "00",
		"no entries, the last":      "04" + "00" + "01",
		"want":                      "05" + "01 00" + "38" + d + "0000000000000003" + strings.Repeat("33", 16),
		"statements":                "06" + "02 01 aa" + "00" + "04 01 bb 01 cc" + "00",
		"ask for two names":         "07" + "4040" + d + e,
		"votes held":                "0e" + "00" + d + e,
		"no votes, pushed":          "0e" + "01" + "01 00" + "00" + "00",
		"no votes, answered":        "0e" + "02" + "01 00" + "00" + "00",
		"invitation with a proof":   "08" + d + "02 aabb" + "00" + "00" + "00" + "02 aabb",
		"ask keys":                  "09" + d,
		"keys":                      "0a" + d + "02 aabb",
		"entrance":                  "0b" + d + "02 aabb" + "04 00 01 cc 00" + "00" + "00" + "00",
		"no faults":                 "0c" + "00" + "00",
		"two Nacks, evidence":       "0c" + "04 01 aa 01 bb" + "02 01 cc",
		"digest of people":          "0d" + "00" + d,
		"offer of people":           "0d" + "01" + "26" + d + "00000003" + "0002" + "01",
		"digest of people by sums":  "0d" + "03" + d,
		"offer of people with sums": "0d" + "04" + "4046" + d + "00000003" + "0002" + e + "01",
		"opening":                   "0f" + "00" + d + "02 aabb" + "00" + "00" + "02 aabb" + strings.Repeat("00", 32) + "00 00000000 00000000 00 00 00000000",
		"opening to who is in":      "0f" + "00" + strings.Repeat("00", 32) + "00" + "00" + "00" + "00" + d + "00 00000000 00000000 00 00 00000000",
		"ask for a page":            "0f" + "01" + d + "02 00 00" + "00000007",
		"page":                      "0f" + "02" + d + "08 01 aa 02 01 bb 01 cc 00" + "00000003" + "00000001" + "02 bbcc" + "05 01 dd 01 ee 00" + "00000009",
		"papers, more follow":       "0d" + "02" + "05 01 aa 02 01 bb" + "01",
		"ask for contents":          "14" + "38" + d + "0000000000000003" + strings.Repeat("33", 16),
		"a content, the last":       "15" + "05" + "01 aa 02 bbbb" + "01",
		"no contents, more follow":  "15" + "00" + "02",
		"ask for earlier ones":      "21" + "38" + ref(d) + "38" + ref(e),
		"ask for settings":          "27" + "00" + "38" + ref(d),
		"ask for all settings":      "27" + "00" + "00",
		"settings":                  "27" + "01" + "0a" + "01 aa 02 bbbb" + "02 cccc 01 dd",
		"earlier ones":              "22" + "09" + "01 aa 02 bbbb" + "02 cccc 00" + "01",
		"no earlier ones, more":     "22" + "00" + "02",
		"no earlier ones are given": "22" + "00" + "03",
		"no block news":             "23" + "00",
		"block news":                "23" + "4060" + d + e + strings.Repeat("33", 32),
		"ask for blocks":            "24" + "02 00 00" + "00",
		"ask for a Welcome":         "24" + "22 20" + d + "00" + "4040" + d + e,
		"entries, cut":              "04" + "00" + "03",
		"heads":                     "16" + "02 00 00" + "38" + ref(d) + "01" + num(9) + num(7) + e,
		"ask":                       "17" + "38" + ref(d) + "38" + ref(e),
		"stretch":                   "18" + d + "03 00ac02" + "38" + ref(e) + num(3) + e + num(8) + "38" + ref(d),
		"Acks":                      "1c" + "40b4" + "38" + ref(d) + "28" + e + num(5) + "4050" + d[:16] + num(9) + strings.Repeat("44", 64) + "02 01 aa",
		"no Acks":                   "1c" + "00" + "00",
		"marked Acks":               "25" + "40e5" + "38" + ref(d) + "28" + e + num(5) + "4081" + d[:16] + num(9) + "30" + num(3) + e + num(2) + strings.Repeat("44", 64) + "02 01 aa",
		"Ack numbers":               "1d" + d + "03" + "01 07" + "28" + e + num(7),
		"following no more":         "1d" + strings.Repeat("00", 32) + "04" + "00" + "00",
		"Ack digest":                "1e" + d,
		"typing":                    "20" + "01",
		"typing no more":            "20" + "00",
		"numbers":                   "19" + d + "01" + "01 07" + "02 0001" + "28" + e + num(7) + "00",
		"invitation":                "08" + d + "02 aabb" + "04 00 01 cc 00" + "00" + "00" + "00",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(spelt, " ", ""))
		if err != nil {
			t.Fatal(name, err)
		}
		if again, err := group.Reencode(b); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %x gives %x, %v", name, b, again, err)
		}
	}
	for name, spelt := range map[string]string{
		"nothing":               "",
		"number zero":           "00",
		"unknown number":        "63 00",
		"faults cut short":      "0c 00",
		"faults and more":       "0c 00 00 00",
		"Nack too long":         "0c" + "4103 4101" + strings.Repeat("00", 0x101) + "00",
		"unknown part":          "0d 03",
		"unknown part of pages": "0f 03" + d,
		"opening, no welcome":   "0f 00" + d + "00 00 00 00" + d + "00 00000000 00000000 00 00 00000000",
		"page, tree too long":   "0f 02" + d + "00" + "00000002" + "00000001" + "02 bbcc" + "00" + "00000000",
		"page cut short":        "0f 02" + d + "00" + "00000000" + "00000000" + "00" + "00" + "000000",
		"digest of people, cut": "0d 00" + d[2:],
		"papers with sums":      "0d 05 00 00",
		"people not ascending":  "0d 01" + "404c" + e + "00000001 0001" + d + "00000001 0001" + "00",
		"papers without more":   "0d 02 00",
		"papers, more is 2":     "0d 02 00 02",
		"ask keys cut short":    "09" + d[2:],
		"ask keys and more":     "09" + d + "00",
		"keys and more":         "0a" + d + "00 00",
		"GroupInfo too long":    "0a" + d + "6001" + strings.Repeat("00", 0x2001),
		"digest cut short":      "01" + d[2:],
		"digest and more":       "01" + d + "00",
		"acks not ascending":    "02" + "02 00 00" + "01 00" + "4050" + e + "0000000000000001" + d + "0000000000000001" + "00",
		"more is 2":             "03" + "00" + "02",
		"long form of a length": "04" + "4000" + "00",
		"answer 4":              "04" + "00" + "04",
		"settings, part 2":      "27" + "02" + "00",
		"settings, cut":         "27" + "01" + "03" + "01 aa 02",
		"too many settings":     "27" + "01" + "12" + strings.Repeat("0000", 9),
		"ask for earlier, cut":  "21" + "38" + ref(d),
		"earlier, no answer":    "22" + "00" + "00",
		"earlier, unknown":      "22" + "00" + "04",
		"contents, cut":         "15" + "00" + "03",
		"heads not ascending":   "16" + "02 00 00" + "4070" + ref(e) + ref(d) + "00" + num(2) + num(2) + d,
		"heads, lamport 2^52":   "16" + "02 00 00" + "00" + "00" + num(2) + "0010000000000000" + d,
		"stretch, zero at end":  "18" + d + "02 0100" + "00" + num(0) + d + num(0) + "00",
		"stretch, long number":  "18" + d + "02 8100" + "00" + num(0) + d + num(0) + "00",
		"Acks of no heads once": "1c" + "03 00 00 00" + "00",
		"Acks, heads twice":     "1c" + "40fc" + "4070" + ref(d) + ref(d) + "28" + e + num(5) + "4050" + d[:16] + num(9) + strings.Repeat("44", 64) + "00",
		"marked Acks, at zero":  "25" + "40e5" + "38" + ref(d) + "28" + e + num(5) + "4081" + d[:16] + num(9) + "30" + num(3) + e + num(0) + strings.Repeat("44", 64) + "00",
		"Acks with a mark":      "1c" + "40e5" + "38" + ref(d) + "28" + e + num(5) + "4081" + d[:16] + num(9) + "30" + num(3) + e + num(2) + strings.Repeat("44", 64) + "00",
		"Acks, stop at zero":    "1c" + "40b4" + "38" + ref(d) + "28" + e + num(0) + "4050" + d[:16] + num(9) + strings.Repeat("44", 64) + "00",
		"half an Ack":           "1c" + "40b3" + "38" + ref(d) + "28" + e + num(5) + "404f" + d[:16] + num(9) + strings.Repeat("44", 63) + "00",
		"Ack numbers, flag 5":   "1d" + d + "05" + "00" + "00",
		"following no more, of": "1d" + d + "04" + "00" + "00",
		"Ack digest and more":   "1e" + d + "00",
		"typing, cut short":     "20",
		"typing and more":       "20 01 00",
		"typing twice":          "20 02",
		"numbers and more":      "19" + d + "00" + "00 00 00 00" + "00",
		"number cut short":      "19" + d + "00" + "01 81" + "00 00 00",
		"votes of part 3":       "0e" + "03" + "01 00" + "00" + "00",
		"half a vote":           "0e" + "01" + "01 00" + "00" + "02 0101",
		"half evidence":         "0e" + "01" + "01 00" + "02 0101" + "00",
		"no settlement":         "0e" + "01" + "00" + "00" + "00",
		"held and more":         "0e" + "00" + d + e + "00",
		"half an entry":         "04" + "02 01 aa" + "00",
		"vector beyond":         "06" + "bfffffff",
		"contents, pushed":      "15" + "00" + "00",
		"contents and more":     "15" + "00" + "01 00",
		"half a content":        "15" + "02 01 aa" + "01",
		"half a name of one":    "14" + "20" + d,
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(spelt, " ", ""))
		if err != nil {
			t.Fatal(name, err)
		}
		if again, err := group.Reencode(b); err == nil {
			t.Errorf("%s: %x is taken, as %x", name, b, again)
		}
	}
}

// num spells a number of 8 bytes.
func num(n int) string { return fmt.Sprintf("%016x", n) }

// TestOwnRecordBytes spells records by hand, as the table of docs/spec/group.md does.
func TestOwnRecordBytes(t *testing.T) {
	block, id, salt := strings.Repeat("11", 32), strings.Repeat("22", 16), strings.Repeat("33", 32)
	content := "0001 02 6869" // the text "hi"
	for _, c := range []struct {
		name, spelt string
		reencode    func([]byte) ([]byte, error)
	}{
		{"held", "03 776562" + "05" + content, group.ReencodeHeld},
		{"held, without a client id", "00" + "05" + content, group.ReencodeHeld},
		{"held, with its block", "00" + "05" + content + block, group.ReencodeHeld},
		{"unsent", block + id + salt + "05" + content + "0000018bcfe56800", group.ReencodeUnsent},
		{"unsent, without its time", block + id + salt + "05" + content, group.ReencodeUnsent},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(c.spelt, " ", ""))
		if err != nil {
			t.Fatal(c.name, err)
		}
		if again, err := c.reencode(b); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %x gives %x, %v", c.name, b, again, err)
		}
		if _, err := c.reencode(append(b, 0)); err == nil {
			t.Errorf("%s: a byte more is taken", c.name)
		}
		if _, err := c.reencode(b[:len(b)-1]); err == nil {
			t.Errorf("%s: a byte less is taken", c.name)
		}
	}
}

//go:build race

package peer_test

// raceDetector says that this run takes many times as long.
const raceDetector = true

package client

import (
	"fmt"
	"strconv"
	"strings"
)

// Names that the streams' owner gives and that this package must agree with.
const (
	partitionsKey  = "holdfast-partitions" // metadata of each delta stream: how many there are
	directivesName = "directives"          // the directives bucket after prefix and dash; its projector's consumer
)

func deltaSubject(prefix string, partition int) string {
	return prefix + ".delta." + strconv.Itoa(partition)
}

func deltaStream(prefix string, partition int) string {
	return fmt.Sprintf("%s_DELTA_%04d", strings.ToUpper(prefix), partition)
}

func commandStream(prefix string) string { return strings.ToUpper(prefix) + "_COMMANDS" }

func directivesBucket(prefix string) string { return prefix + "-" + directivesName }

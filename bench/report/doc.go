// Package report is what a run of the bench suite found, and the ways to look at it.
//
//	r := report.Report{Format: report.Format, Machine: …, Scenarios: …}
//	err := report.Write(file, r)             // JSON, which Read gives back
//	err = report.WriteTable(os.Stdout, r)    // for a terminal
//	err = report.WriteBenchstat(text, r)     // for benchstat: benchstat a.txt b.txt
//	err = report.WriteHTML(page, r)          // one page with its plots, nothing outside it
//	err = report.Compare(a, b).WriteTable(os.Stdout)
//
// A scenario is run several times. What is shown of a metric is the median of its runs and
// an interval that needs no assumption about their distribution: it rests on the order of the values
// alone, so a single disturbed run moves it little. Five runs are too few for 95 %;
// then the interval is from the least to the greatest of them, and holds at the level that it says.
//
// A comparison gives the ratio of the medians, and the interval of the ratios that a Mann-Whitney
// test does not refute at 95 %. Where that holds 1, the difference is within the noise. Two reports
// from different machines, settings or configurations are shown side by side and not judged.
//
// The package knows nothing of how a scenario is run, and imports nothing of holdfast.
package report

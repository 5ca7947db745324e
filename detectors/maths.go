package detectors

import "math"

// The functions below are those of package math, but they give the same bits on every machine: package math has assembly
// for some of them on some architectures, and compilers fuse x*y + z where they may. They are within 1e-12 of
// the true value, relative to it, mostly within 2e-16, and no slower.

const (
	ln2   = 0.6931471805599453
	ln2Hi = 0.6931471803691238     // of ln 2, so many bits that a product with a small whole number is exact
	ln2Lo = 1.9082149292705877e-10 // the rest

	expSteps = 32  // of exp2Table
	expMost  = 700 // exp is flat beyond

	logSteps = 64                    // a unit, of logTable
	logFirst = logSteps * 3 / 4      // 0.75 is where it begins
	logBits  = 0x3fe8_0000_0000_0000 // the bits of 0.75
)

// exp2Table is 2^(i/32).
var exp2Table = [expSteps]float64{
	1.0, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237,
	1.0905077326652577, 1.1143867425958924, 1.1387886347566916, 1.1637248587775775,
	1.189207115002721, 1.215247359980469, 1.241857812073484, 1.2690509571917332,
	1.2968395546510096, 1.3252366431597413, 1.3542555469368927, 1.383909881963832,
	1.4142135623730951, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
	1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965,
	1.681792830507429, 1.718619298122478, 1.7562521603732995, 1.7947090750031072,
	1.8340080864093424, 1.8741676341103, 1.9152065613971474, 1.9571441241754002,
}

// logTable is ln(i/64) from i = 48 on.
var logTable = [...]float64{
	-0.2876820724517809, -0.26706278524904525, -0.24686007793152578, -0.22705745063534608,
	-0.2076393647782445, -0.18859116980755003, -0.16989903679539747, -0.15154989812720093,
	-0.13353139262452263, -0.1158318155251217, -0.09844007281325252, -0.0813456394539524,
	-0.06453852113757118, -0.048009219186360606, -0.0317486983145803, -0.015748356968139168,
	0.0, 0.015504186535965254, 0.030771658666753687, 0.0458095360312942,
	0.06062462181643484, 0.07522342123758753, 0.08961215868968714, 0.10379679368164356,
	0.11778303565638346, 0.13157635778871926, 0.1451820098444979, 0.15860503017663857,
	0.17185025692665923, 0.184922338494012, 0.19782574332991987, 0.21056476910734964,
	0.22314355131420976, 0.2355660713127669, 0.24783616390458127, 0.25995752443692605,
	0.27193371548364176, 0.2837681731306446, 0.2954642128938359, 0.3070250352949119,
	0.3184537311185346, 0.329753286372468, 0.3409265869705932, 0.3519764231571782,
	0.3629054936893685, 0.37371640979358406, 0.38441169891033206, 0.394993808240869,
	0.4054651081081644,
}

// exp returns e^x; beyond ±700 it returns e^±700.
func exp(x float64) float64 {
	x = min(max(x, -expMost), expMost)
	k, whole := nearest(float64(x * (expSteps / ln2)))
	r := (x - float64(whole*(ln2Hi/expSteps))) - float64(whole*(ln2Lo/expSteps))
	return power(k, r)
}

// exp2 returns 2^x; beyond ±1000 it returns 2^±1000.
func exp2(x float64) float64 {
	x = min(max(x, -1000), 1000)
	k, whole := nearest(float64(x * expSteps))
	return power(k, float64((x-whole/expSteps)*ln2))
}

// expm1 returns e^x − 1.
func expm1(x float64) float64 {
	if x > -1.0/64 && x < 1.0/64 {
		return expm1Near0(x)
	}
	return exp(x) - 1
}

// nearest returns the whole number next to x, |x| < 2^31.
func nearest(x float64) (int, float64) {
	const shift = 3 << 51 // with it the units are the last bit
	shifted := x + shift
	return int(int32(math.Float64bits(shifted))), shifted - shift
}

// power returns 2^(k/32) · e^r, |r| ≤ 1/64.
func power(k int, r float64) float64 {
	step := exp2Table[k&(expSteps-1)]
	step += float64(step * expm1Near0(r))
	return math.Float64frombits(math.Float64bits(step) + uint64(k>>5)<<52)
}

// expm1Near0 is the Taylor series of e^r − 1, |r| ≤ 1/64.
func expm1Near0(r float64) float64 {
	r2 := float64(r * r)
	high := 1.0/24 + float64(r*(1.0/120)) + float64(r2*(1.0/720))
	low := 1.0/2 + float64(r*(1.0/6))
	return r + float64(r2*(low+float64(r2*high)))
}

// log returns the natural logarithm of a normal x > 0.
func log(x float64) float64 {
	bits := math.Float64bits(x)
	k := int64(bits-logBits) >> 52
	m := math.Float64frombits(bits - uint64(k)<<52) // x = 2^k · m, 0.75 ≤ m < 1.5
	i := int(m*logSteps + 0.5)
	at := float64(i) * (1.0 / logSteps)
	low := ratioLog((m-at)/(m+at)) + float64(float64(k)*ln2Lo)
	return float64(float64(k)*ln2Hi) + (logTable[i-logFirst] + low)
}

// log1p returns ln(1 + x), x ≥ 0.
func log1p(x float64) float64 {
	if x < 1.0/128 {
		return ratioLog(x / (2 + x))
	}
	return log(1 + x)
}

// ratioLog returns ln((1+s)/(1−s)) = 2·atanh(s), |s| ≤ 1/190.
func ratioLog(s float64) float64 {
	s2 := float64(s * s)
	series := 2.0/3 + float64(s2*(2.0/5+float64(s2*(2.0/7))))
	return 2*s + float64(float64(s*s2)*series)
}

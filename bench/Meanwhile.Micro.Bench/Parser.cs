using System.Text;
using BenchmarkDotNet.Attributes;
using Meanwhile.Pipeline;

namespace Meanwhile.Micro.Bench;

/// <summary>What it takes to make a reading of a payload.</summary>
[MemoryDiagnoser]
public class Parser
{
    private byte[] _payload = [];

    [Params("""{"number": 46, "epochtime": "1669940235"}""", """{"id": "a1", "number": "21.5", "epochtime": 1669940235.25, "more": [1, {"x": 2}]}""", "21.5")]
    public string Payload { get; set; } = "";

    [GlobalSetup]
    public void Prepare() => _payload = Encoding.UTF8.GetBytes(Payload);

    [Benchmark]
    public double Parse() => ReadingParser.Default.TryParse(_payload, 0, out var found, out _) ? found.Value : double.NaN;
}

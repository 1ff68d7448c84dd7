using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Meanwhile.Tests;

/// <summary>Holds the direction of the dependencies inside the program: nothing points back up.</summary>
public partial class LayersTests
{
    private static readonly string[][] TopDown = [["Verbs"], ["Web"], ["History", "Verification"], ["Settings"], ["HomeAssistant", "Telemetry"], ["Clients", "Pipeline"], ["Feeds", "Stores"], ["Access"], ["Terminal"], ["Logging"]];

    [Fact]
    public void Nothing_points_back_up()
    {
        var source = Path.GetFullPath("../../src/Meanwhile", Path.GetDirectoryName(Here())!);
        List<string> upward = [];
        for (var layer = 0; layer < TopDown.Length; layer++)
        {
            var above = TopDown.Take(layer).SelectMany(l => l).ToHashSet(StringComparer.Ordinal);
            foreach (var file in TopDown[layer].SelectMany(folder => Directory.EnumerateFiles(Path.Combine(source, folder), "*.cs", SearchOption.AllDirectories)))
            {
                foreach (Match used in UsedNamespace().Matches(File.ReadAllText(file)))
                {
                    if (above.Contains(used.Groups[1].Value))
                        upward.Add($"{Path.GetRelativePath(source, file)} uses {used.Value}");
                }
            }
        }
        Assert.Empty(upward);
    }

    [Fact]
    public void The_libraries_do_not_know_each_other_nor_the_program()
    {
        foreach (var library in new[] { typeof(Mqtt.Delivery.Receiver).Assembly, typeof(Windows.SlidingSeries).Assembly })
            Assert.DoesNotContain(library.GetReferencedAssemblies(), a => a.Name!.StartsWith("Meanwhile", StringComparison.OrdinalIgnoreCase));
    }

    [GeneratedRegex(@"\bMeanwhile\.(Verbs|Web|History|Verification|Settings|HomeAssistant|Telemetry|Clients|Pipeline|Feeds|Stores|Access|Terminal|Logging)\b")]
    private static partial Regex UsedNamespace();

    private static string Here([CallerFilePath] string path = "") => path;
}

namespace Meanwhile.Mqtt.Tests;

/// <summary>What the package's README shows is what is compiled here.</summary>
public class ReadmeTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Readme");

    [Theory]
    [InlineData("# Meanwhile.Mqtt", nameof(ReadmeProgram))]
    [InlineData("## The client", nameof(ReadmeClientProgram))]
    public void The_first_program_is_one_that_compiles(string heading, string program)
    {
        List<string> shown = [.. Lines("README.md").SkipWhile(line => line != heading).SkipWhile(line => line != "```csharp").Skip(1).TakeWhile(line => line != "```")];
        Assert.NotEmpty(shown);
        var isUsing = (string line) => line.StartsWith("using ", StringComparison.Ordinal);
        var compiled = Lines($"{program}.cs");
        Assert.Equal(shown.Where(isUsing), compiled.Where(isUsing));
        Assert.Equal(shown.SkipWhile(isUsing), compiled.SkipWhile(line => !line.StartsWith("public static", StringComparison.Ordinal)).Skip(2).SkipLast(2));
    }

    // However far they are indented; without empty ones.
    private static List<string> Lines(string file) => [.. File.ReadLines(Path.Combine(Folder, file)).Select(line => line.Trim()).Where(line => line.Length > 0)];
}

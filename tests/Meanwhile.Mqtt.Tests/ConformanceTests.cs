using System.Reflection;
using System.Text.RegularExpressions;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Tests.Wire;
using Meanwhile.Tests.Support;

namespace Meanwhile.Mqtt.Tests;

/// <summary>
/// Holds the code, the tests and the list of the standard's clauses together: a test proves a clause if it has the clause's <see cref="ClauseAttribute"/>, or is a row of
/// <see cref="PacketTable"/> with the clause in its name.
/// </summary>
public partial class ConformanceTests
{
    private const string List = "docs/mqtt-conformance.md";

    // Clause to the classes of the tests that prove it, in order.
    private static readonly Dictionary<string, SortedSet<string>> Proofs = FindProofs();

    [Fact]
    public void A_test_proves_each_clause_that_the_code_names()
    {
        var named = Repository.CSharpFiles("src").SelectMany(path => ClausesIn(File.ReadAllText(path))).Distinct();
        Assert.Empty(named.Where(clause => !Proofs.ContainsKey(clause)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_list_names_the_tests_of_each_clause_and_says_why_others_have_none()
    {
        var listed = File.ReadLines(Path.Combine(Repository.Root, List)).Select(line => Row().Match(line)).Where(row => row.Success)
            .ToDictionary(row => row.Groups["clause"].Value, row => row.Groups["proof"].Value, StringComparer.Ordinal);
        Assert.Empty(Proofs.Keys.Except(listed.Keys, StringComparer.Ordinal));
        List<string> wrong = [];
        foreach (var (clause, proof) in listed)
        {
            var tests = Proofs.TryGetValue(clause, out var classes) ? string.Join(", ", classes.Select(name => $"`{name}`")) : null;
            if (tests is null ? proof.Length == 0 || proof.StartsWith('`') : proof != tests)
                wrong.Add($"{clause}: {tests ?? "(why no test proves it)"}");
        }
        Assert.True(wrong.Count == 0, $"{List} should say:\n{string.Join('\n', wrong)}");
    }

    private static Dictionary<string, SortedSet<string>> FindProofs()
    {
        var proofs = new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var test in typeof(ConformanceTests).Assembly.GetTypes().SelectMany(type => type.GetMethods()).Where(method => method.IsDefined(typeof(FactAttribute))))
        {
            foreach (var clause in test.GetCustomAttribute<ClauseAttribute>()?.Clauses ?? [])
                Add(clause, test.DeclaringType!.Name);
        }
        foreach (var clause in PacketTable.Valid.Concat(PacketTable.Malformed).SelectMany(row => ClausesIn(row.Name)))
            Add(clause, nameof(PacketTable));
        return proofs;

        void Add(string clause, string name)
        {
            if (!proofs.TryGetValue(clause, out var names))
                proofs.Add(clause, names = new SortedSet<string>(StringComparer.Ordinal));
            names.Add(name);
        }
    }

    private static IEnumerable<string> ClausesIn(string text) => Clause().Matches(text).Select(match => match.Groups["id"].Value + match.Groups["version"].Value);

    [GeneratedRegex(@"\[(?<id>MQTT-[0-9]+\.[0-9]+\.[0-9]+-[0-9]+)\](?<version> of 3\.1\.1)?")]
    private static partial Regex Clause();

    [GeneratedRegex(@"^\| (?<clause>MQTT-[^|]*[^| ]) *\|[^|]*\| *(?<proof>[^|]*?) *\|$")]
    private static partial Regex Row();
}

using Meanwhile.Tests.Support;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Meanwhile.Tests;

/// <summary>
/// Holds the limits of files and methods. What is longer is listed here by name, and leaves the list once it is short enough: the lists only shrink.
/// </summary>
public class SizeLimitTests
{
    private const int MostLinesOfAFile = 256;
    private const int MostLinesOfAMethod = 50;

    private static readonly string[] Folders = ["src", "bench", "tests"];

    private static readonly string[] LongFiles =
    [
        "MqttClient.cs",
        "AdmissionTests.cs", "HostTests.cs", "HostileTests.cs", "JournalTests.cs", "ListenerTests.cs", "MemoryShareTests.cs", "StandardTests.cs", "ClientConversationTests.cs", "FanOutTests.cs", "ReceiverTests.cs",
        "AggregatorTests.cs",
    ];

    private static readonly string[] LongMethods = ["EmbeddedBroker.StartAsync", "SessionRegistryTests.Sessions_go_on_and_end_and_wills_are_published_when_a_plain_table_says_so"];

    [Fact]
    public void No_file_is_longer_than_the_limit_but_those_listed() =>
        AssertListed(LongFiles, from path in Files() where File.ReadLines(path).Count() > MostLinesOfAFile select Path.GetFileName(path));

    [Fact]
    public void No_method_is_longer_than_the_limit_but_those_listed() =>
        AssertListed(LongMethods, from path in Files() from method in Methods(File.ReadAllText(path)) where method.Lines > MostLinesOfAMethod select method.Name);

    [Fact]
    public void The_lines_of_a_method_are_counted_from_its_first_line_to_its_last_without_comments_above()
    {
        const string text = """
            class Outer
            {
                /// <summary>Not counted.</summary>
                [Obsolete]
                void Two() =>
                    Do();

                class Inner<T>
                {
                    Inner() { }

                    int Four
                    {
                        get
                        {
                            void Local() { }
                            return 4;
                        }
                    }
                }
            }
            """;
        Assert.Equal([("Outer.Two", 2), ("Inner.Inner", 1), ("Inner.Four.get", 5)], Methods(text));
    }

    private static void AssertListed(string[] listed, IEnumerable<string> found)
    {
        List<string> rest = [.. found];
        var notNeeded = listed.Where(name => !rest.Remove(name)).ToList();
        Assert.True(rest.Count == 0, $"too long (make it shorter): {string.Join(", ", rest)}");
        Assert.True(notNeeded.Count == 0, $"short enough now (take it off the list): {string.Join(", ", notNeeded)}");
    }

    private static IEnumerable<string> Files() => Folders.SelectMany(Repository.CSharpFiles);

    private static IEnumerable<(string Name, int Lines)> Methods(string text) =>
        from node in CSharpSyntaxTree.ParseText(text, cancellationToken: TestContext.Current.CancellationToken).GetRoot(TestContext.Current.CancellationToken).DescendantNodes()
        where node is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax
        select (NameOf(node), LinesOf(node));

    // A local function counts as a part of the method that it is in.
    private static int LinesOf(SyntaxNode node)
    {
        var attributes = node.ChildNodes().OfType<AttributeListSyntax>().LastOrDefault();
        var first = attributes?.GetLastToken().GetNextToken() ?? node.GetFirstToken();
        return node.GetLastToken().GetLocation().GetLineSpan().EndLinePosition.Line - first.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
    }

    private static string NameOf(SyntaxNode node) => $"{node.FirstAncestorOrSelf<BaseTypeDeclarationSyntax>()!.Identifier.Text}." + node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        AccessorDeclarationSyntax { Parent.Parent: PropertyDeclarationSyntax property } accessor => $"{property.Identifier.Text}.{accessor.Keyword.Text}",
        AccessorDeclarationSyntax accessor => $"this.{accessor.Keyword.Text}",
        _ => node.Kind().ToString(),
    };
}

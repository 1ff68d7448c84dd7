using System.Text;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Text in another encoding, on each way in that a user has: one line that says where, and never a name with replaced characters.</summary>
public sealed class TextTests : ProgramTest
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "meanwhile");

    [Theory]
    [InlineData("TOPIC=pl\u00fcnt\n", ".env: line 1, column 9 (in bytes) is not UTF-8 (byte 0xFC): expected a text in UTF-8")]
    [InlineData("# x\nTOPIC='\u00fc'\n", ".env: line 2, column 8 (in bytes) is not UTF-8")]
    [InlineData("TOPIC=\"a\\ud800\"\n", "TOPIC in .env: 'a\ufffd' is not UTF-8")]
    [InlineData("T\0O\0P\0I\0C\0=\0a\0", ".env: this is UTF-16; convert it to UTF-8 (iconv -f UTF-16LE -t UTF-8)")]
    [InlineData("\u00ff\u00feT\0", ".env: this is UTF-16; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)")]
    public async Task A_settings_file_in_another_encoding_is_refused_with_the_place(string content, string expected)
    {
        await WriteAsync(".env", content);
        await ExpectAsync(expected, 2, "aggregate", "--broker", "embedded://127.0.0.1:0");
    }

    [Theory]
    [InlineData("exec {0} query --topic \"$(printf 'pl\\374nt')\"", "the argument 'pl\ufffdnt' is not UTF-8")]
    [InlineData("TOPIC=\"$(printf 'pl\\374nt')\" exec {0} query", "TOPIC in the environment: 'pl\ufffdnt' is not UTF-8")]
    [InlineData("exec {0} query --db \"$(printf '\\355\\240\\200')\"", "is not UTF-8")]
    public async Task Arguments_and_variables_are_not_taken_with_replaced_characters(string script, string expected)
    {
        var program = Peer("sh", "-c", script.Replace("{0}", Program, StringComparison.Ordinal));
        Assert.Equal(2, await program.ExitAsync());
        Assert.Contains(expected, program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_rights_passwords_and_tokens_in_another_encoding_are_refused_with_the_place()
    {
        const string Place = "line 2, column 2 (in bytes) is not UTF-8 (byte 0xFC)";
        await WriteAsync("file", "#\nx\u00fc\n");
        await ExpectAsync($"file: {Place}", 2, "broker", "--listen", "127.0.0.1:0", "--users", "file");
        await ExpectAsync($"file: {Place}", 2, "broker", "--listen", "127.0.0.1:0", "--acl", "file");
        await ExpectAsync($"in file {Place}", 2, "broker", "--listen", "mqtts://127.0.0.1:0", "--cert", "file", "--key", "file");
        await ExpectAsync($"--password-file: 'file' cannot be understood: expected a file in UTF-8 ({Place})", 2, "publish", "--password-file", "file");
        await ExpectAsync($"--http-token-file: 'file' cannot be understood: expected a file in UTF-8 ({Place})", 2, "aggregate", "--http-token-file", "file");
        await ExpectAsync($"file: {Place}", 2, "passwd", "file", "ada");

        var passwd = Meanwhile(["passwd", "users", "ada"]);
        await passwd.Input.BaseStream.WriteAsync(new byte[] { (byte)'p', 0xFC, (byte)'\n' }, TestContext.Current.CancellationToken);
        passwd.Input.Close();
        Assert.Equal(2, await passwd.ExitAsync());
        Assert.Contains("the password on standard input: line 1, column 2 (in bytes) is not UTF-8", passwd.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Folder["users"]));
    }

    [Fact]
    public async Task A_byte_order_mark_is_accepted_everywhere()
    {
        const string Mark = "\u00ef\u00bb\u00bf";
        await WriteAsync(".env", Mark + "TOPIC=plant\n");
        await WriteAsync("acl", Mark + "user ada\ntopic readwrite plant\n");
        await WriteAsync("password", Mark + "secret\n");
        var passwd = Meanwhile(["passwd", "users", "ada"]);
        await passwd.Input.BaseStream.WriteAsync(Encoding.UTF8.GetBytes("\ufeffsecret\r\n"), TestContext.Current.CancellationToken);
        passwd.Input.Close();
        Assert.Equal(0, await passwd.ExitAsync());
        await File.WriteAllBytesAsync(Folder["users"], [0xEF, 0xBB, 0xBF, .. await File.ReadAllBytesAsync(Folder["users"], TestContext.Current.CancellationToken)], TestContext.Current.CancellationToken);

        var aggregate = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0", "--users", "users", "--acl", "acl"]);
        await aggregate.SaysAsync("the embedded broker is listening");
        var port = aggregate.Error.Split(": the embedded broker is listening")[0].Split(':')[^1];
        var publish = Meanwhile(["publish", "--broker", $"127.0.0.1:{port}", "--count", "3", "--rate", "100", "--username", "ada", "--password-file", "password"]);
        Assert.Equal(0, await publish.ExitAsync());
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Equal(["3"], ReadingsFile.Query(Database, "SELECT COUNT(*) FROM messages JOIN series ON id = series WHERE topic = 'plant'"));
    }

    private async Task ExpectAsync(string expected, int code, params string[] arguments)
    {
        var program = Meanwhile(arguments);
        Assert.Equal(code, await program.ExitAsync());
        Assert.Contains(expected, program.Error, StringComparison.Ordinal);
        Assert.Single(program.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    // A character a byte.
    private Task WriteAsync(string file, string content) => File.WriteAllBytesAsync(Folder[file], Encoding.Latin1.GetBytes(content), TestContext.Current.CancellationToken);
}

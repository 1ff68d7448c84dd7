using System.Text;
using Meanwhile.Access;

namespace Meanwhile.Tests.Access;

/// <summary>Passwords in files.</summary>
public class UserFileTests
{
    private static readonly byte[] Secret = Encoding.UTF8.GetBytes("sécret");

    [Fact]
    public void A_password_is_known_again_from_its_hash_and_no_other_one_is()
    {
        var hash = PasswordHash.TryParse(PasswordHash.Of(Secret, iterations: 10).ToString())!;
        Assert.False(hash.Remembers(Secret));
        Assert.False(hash.Matches("secret"u8));
        Assert.False(hash.Matches([]));
        Assert.True(hash.Matches(Secret));
        Assert.True(hash.Remembers(Secret));
        Assert.False(hash.Remembers("secret"u8));
    }

    [Fact]
    public void A_hash_says_how_it_was_made_and_none_is_like_another() // RFC 8018's function, with what OWASP recommends.
    {
        var (one, other) = (PasswordHash.Of(Secret).ToString(), PasswordHash.Of(Secret).ToString());
        Assert.StartsWith("$pbkdf2-sha512$i=210000$", one, StringComparison.Ordinal);
        Assert.NotEqual(one, other);
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("$7$101$c2FsdHNhbHQ=$aGFzaA==")]
    [InlineData("$pbkdf2-sha512$i=0$MTIzNDU2Nzg$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI")]
    [InlineData("$pbkdf2-sha512$i=99999999$MTIzNDU2Nzg$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI")]
    [InlineData("$pbkdf2-sha512$i=10$MTIzNDU2Nzg$MTIz")]
    [InlineData("$pbkdf2-sha512$i=10$!$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI")]
    public void Anything_else_is_no_hash(string text) => Assert.Null(PasswordHash.TryParse(text));

    [Fact]
    public void A_user_is_added_changed_and_deleted_and_all_else_stays_as_it_is()
    {
        var (first, second) = (PasswordHash.Of(Secret, 1), PasswordHash.Of(Secret, 2));
        var text = UserFile.With("# mine\n\nbob:x", "ada", first);
        Assert.Equal($"# mine\n\nbob:x\nada:{first}\n", text);
        text = UserFile.With(text, "bob", null);
        Assert.Equal($"# mine\n\nada:{second}\n", UserFile.With(text, "ada", second));
        Assert.Equal("# mine\n\n", UserFile.With(text, "ada", null));
        Assert.Equal($"{first}", UserFile.Parse(text)["ada"].ToString());
    }

    [Theory]
    [InlineData("ada", "line 1 is no user")]
    [InlineData("# x\nada:secret", "line 2 is no user")]
    [InlineData(":$pbkdf2", "line 1 is no user")]
    public void A_line_that_is_no_user_is_named(string text, string problem) =>
        Assert.StartsWith(problem, Assert.Throws<FormatException>(() => UserFile.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_user_has_one_line()
    {
        var line = $"ada:{PasswordHash.Of(Secret, 1)}\n";
        Assert.StartsWith("line 2 names 'ada' again", Assert.Throws<FormatException>(() => UserFile.Parse(line + line)).Message, StringComparison.Ordinal);
    }
}

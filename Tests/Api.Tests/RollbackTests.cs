namespace Hosting.Api.Tests;

public sealed class RollbackTests(ApiHost api)
{
    private const string Spec = """{"image":"shop:1.4","port":8080}""";

    [Theory]
    [InlineData(null, "the one before")]
    [InlineData("{}", "the one before")]
    [InlineData("""{"revision":1}""", "1")]
    public async Task A_body_is_optional_and_names_the_revision(string? body, string target)
    {
        var name = $"roll-{body?.Length ?? 0}";
        (await api.Send("PUT", $"/v1/apps/{name}", Spec)).Is(201);
        var reply = (await api.Send("POST", $"/v1/apps/{name}/rollback", body)).Is(200);
        Assert.Equal("updated", reply.Headers["Hosting-Outcome"]);
        Assert.Equal((2, $"back to {target}"), (reply.Json!["revision"]!.GetValue<int>(), reply.Json["message"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_revision_that_is_not_kept_is_a_conflict()
    {
        (await api.Send("PUT", "/v1/apps/roll-far", Spec)).Is(201);
        var reply = (await api.Send("POST", "/v1/apps/roll-far/rollback", """{"revision":9}""")).IsProblem(409);
        Assert.Equal(["revision 9 is not kept; kept are 1"], reply.Errors("revision"));
    }

    [Theory]
    [InlineData("""{"revision":"5"}""", "revision", "whole number")]
    [InlineData("""{"to":5}""", "to", "known are revision")]
    [InlineData("[]", "$", "must be an object")]
    public async Task A_wrong_body_is_named(string body, string field, string message)
    {
        await api.Send("PUT", "/v1/apps/roll-bad", Spec);
        var reply = (await api.Send("POST", "/v1/apps/roll-bad/rollback", body)).IsProblem(400);
        Assert.Contains(message, Assert.Single(reply.Errors(field)), StringComparison.Ordinal);
        Assert.Equal(1, api.World.Apps["roll-bad"].Revision);
    }

    [Theory]
    [InlineData("POST", "/v1/apps/nothing/rollback")]
    [InlineData("GET", "/v1/apps/nothing/revisions")]
    [InlineData("GET", "/v1/apps/No_Name/revisions")]
    [InlineData("POST", "/v1/apps/No_Name/rollback")]
    public async Task An_unknown_app_is_not_found(string method, string path) => (await api.Send(method, path)).IsProblem(404);

    [Fact]
    public async Task Revisions_are_listed_with_what_they_run()
    {
        (await api.Send("PUT", "/v1/apps/roll-list", Spec)).Is(201);
        var only = Assert.Single((await api.Send("GET", "/v1/apps/roll-list/revisions")).Is(200).Json!.AsArray())!;
        Assert.Equal((1, true, 3, "shop:1.4"), (
            only["revision"]!.GetValue<int>(), only["current"]!.GetValue<bool>(), only["rollbackOf"]!.GetValue<int>(), only["spec"]!["image"]!.GetValue<string>()));
    }
}

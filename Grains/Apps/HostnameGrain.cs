using Hosting.Apps;

namespace Hosting.Grains.Apps;

/// <summary>Who owns a host name.</summary>
[GenerateSerializer, Alias("hosting.HostnameDocument")]
internal sealed record HostnameDocument
{
    [Id(0)] public string? Owner { get; init; }
}

[GrainType("hostname")]
internal sealed class HostnameGrain([PersistentState("state")] IPersistentState<HostnameDocument> document) : Grain, IHostnameGrain
{
    public Task<string?> GetOwner() => Task.FromResult(document.State.Owner);

    public async Task<string> Claim(string app)
    {
        if (document.State.Owner is { } owner && (owner == app || await IsHeld(owner)))
            return owner;
        await DurableState.Write(this, document, new HostnameDocument { Owner = app });
        return app;
    }

    public async Task Release(string app)
    {
        if (document.State.Owner == app)
            await DurableState.Clear(this, document);
    }

    // An owner that crashed between claiming and writing its spec does not hold the name.
    private Task<bool> IsHeld(string owner) => GrainFactory.GetGrain<IAppServiceGrain>(owner).Owns(this.GetPrimaryKeyString());
}

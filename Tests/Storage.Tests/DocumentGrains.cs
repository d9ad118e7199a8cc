namespace Hosting.Storage.Tests;

public interface IDocumentGrain : IGrainWithStringKey
{
    Task<string?> Get();

    Task Set(string value);

    Task Clear();
}

[GenerateSerializer]
public sealed class Document
{
    [Id(0)] public string? Value { get; set; }
}

public abstract class DocumentGrain(IPersistentState<Document> document) : Grain, IDocumentGrain
{
    public Task<string?> Get() => Task.FromResult(document.State.Value);

    public Task Set(string value)
    {
        document.State.Value = value;
        return document.WriteStateAsync();
    }

    public Task Clear() => document.ClearStateAsync();
}

[GrainType("first-document")]
public sealed class FirstDocumentGrain([PersistentState("state")] IPersistentState<Document> document) : DocumentGrain(document);

[GrainType("second-document")]
public sealed class SecondDocumentGrain([PersistentState("state")] IPersistentState<Document> document) : DocumentGrain(document);
